"""One call of an action: resolve secrets, validate, run, and take only an output that can be kept.

`prepare` comes first, so that the caller knows whether the call may be repeated before it is made.
Whatever leaves here (output, failure) has the secrets' values masked.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from engine.actions.action import Action, ActionContext, AnswerLost
from engine.actions.secrets import OpenedSecrets
from engine.contract import Json
from engine.errors import Category, Invalid, StepFailed
from engine.runs import strict_json

OUTPUT_MAX_BYTES: Final = 4 * 1024 * 1024
"""A single output above it is an ActionError (docs/authoring.md)."""


def prepare(action: Action, input: Json, secrets: OpenedSecrets) -> BaseModel:
    """The input as the action's model, with secrets in place of their references.

    Raises ActionError for a missing secret, ValidationError for what does not fit the schema.
    """
    return action.read(secrets.resolve(input))


def perform(
    action: Action,
    input: BaseModel,
    context: ActionContext,
    secrets: OpenedSecrets,
    *,
    may_repeat: bool = True,
) -> Json:
    """Run it. Raises `StepFailed` only, except for a lost database and a thread's cancellation:

    those are not the action's outcome, and the caller's infrastructure deals with them.
    `may_repeat`: by its nature, or because the author gave a retry policy; without it a lost
    answer is OutcomeUnknown.
    """
    try:
        return _kept(action, _dumped(action, action.run(input, context)), secrets)
    except AnswerLost as error:
        raise secrets.mask_error(error if may_repeat else _unknown(error)) from None
    except StepFailed as error:
        raise secrets.mask_error(error) from None
    except Exception as error:
        if context.cancelled() or _is_our_database(error, context):
            raise
        failure = StepFailed(
            Category.ACTION,
            f"{action.name} failed: {type(error).__name__}: {error}",
            code="UNEXPECTED",
        )
        raise secrets.mask_error(failure) from error


def _dumped(action: Action, output: object) -> Json:
    if isinstance(output, BaseModel):
        return output.model_dump(mode="json", by_alias=True)
    try:
        return action.Output.model_validate(output).model_dump(mode="json", by_alias=True)
    except ValueError as error:
        raise _bad_output(action, "it is not of the declared form") from error


def _kept(action: Action, output: Json, secrets: OpenedSecrets) -> Json:
    try:
        normal = secrets.mask(strict_json.normal(output))
    except Invalid as error:
        first = error.problems[0]
        raise _bad_output(action, f"{first.pointer or 'it'}: {first.message}") from None
    size = strict_json.byte_length(normal)
    if size > OUTPUT_MAX_BYTES:
        raise StepFailed(
            Category.ACTION,
            f"The output of {action.name} is too large: {size} bytes, at most {OUTPUT_MAX_BYTES}.",
            code="OUTPUT_TOO_LARGE",
            details={"bytes": size, "max": OUTPUT_MAX_BYTES},
        )
    return normal


def _unknown(lost: AnswerLost) -> StepFailed:
    return StepFailed(
        Category.OUTCOME_UNKNOWN,
        f"{lost.message} Whether it was done is not known, and it must not be done twice.",
        code="OUTCOME_UNKNOWN",
        details=lost.details,
    )


def _bad_output(action: Action, why: str) -> StepFailed:
    return StepFailed(
        Category.ACTION, f"The output of {action.name} cannot be kept: {why}.", code="BAD_OUTPUT"
    )


def _is_our_database(error: Exception, context: ActionContext) -> bool:
    return context.session is not None and isinstance(error, SQLAlchemyError)
