"""One call of an action: what leaves it can be stored, and holds no secret."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import create_autospec

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.actions.action import Action, ActionContext, AnswerLost
from engine.actions.perform import OUTPUT_MAX_BYTES, perform, prepare
from engine.actions.secrets import Secrets
from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.transforms.fields import Fields, Result
from engine.runs.redaction import MASK

CONTEXT = ActionContext(run_id="r", idempotency_key="k", now=datetime(2026, 6, 9, tzinfo=UTC))


class In(Fields):
    key: str = ""


class Out(Result):
    some_value: Any


def outcome(
    run: Callable[[In, ActionContext], Any],
    *,
    input: Json = None,
    may_repeat: bool = True,
    **context: Any,
) -> Json:
    action = Action(id="demo.do", version=1, Input=In, Output=Out, run=run, summary="s")
    secrets = Secrets({"SECRET_PASS": "hunter2-hunter2"}).opened()
    prepared = prepare(action, input or {}, secrets)
    where = dataclasses.replace(CONTEXT, **context)
    return perform(action, prepared, where, secrets, may_repeat=may_repeat)


def test_an_output_is_the_models_json_by_its_public_names() -> None:
    assert outcome(lambda i, c: Out(some_value=[1, -0.0])) == {"someValue": [1, 0.0]}
    assert outcome(lambda i, c: {"someValue": None}) == {"someValue": None}


def test_secrets_reach_the_action_and_not_its_output() -> None:
    seen: list[str] = []

    def run(input: In, context: ActionContext) -> Out:
        seen.append(input.key)
        return Out(some_value=f"got {input.key}")

    output = outcome(run, input={"key": {"$secret": "PASS"}})
    assert seen == ["hunter2-hunter2"]
    assert output == {"someValue": f"got {MASK}"}


def test_failures_are_masked_whether_raised_on_purpose_or_not() -> None:
    def refuse(input: In, context: ActionContext) -> Out:
        raise StepFailed(Category.TRANSIENT, input.key, details={"at": input.key})

    def break_down(input: In, context: ActionContext) -> Out:
        raise RuntimeError(input.key)

    for run, category in ((refuse, Category.TRANSIENT), (break_down, Category.ACTION)):
        with pytest.raises(StepFailed) as failed:
            outcome(run, input={"key": {"$secret": "PASS"}})
        assert failed.value.category is category
        assert "hunter2" not in str(failed.value.as_data())
        assert MASK in failed.value.message


@pytest.mark.parametrize(
    "output",
    [{"someValue": float("nan")}, {"someValue": "a\x00"}, {"someValue": 2.0**60}, {"other": 1},
     {}, None, {"someValue": "\ud800"}],
)  # fmt: skip
def test_an_output_that_cannot_be_kept_is_an_action_error(output: Any) -> None:
    with pytest.raises(StepFailed) as failed:
        outcome(lambda i, c: output)
    assert failed.value.category is Category.ACTION
    assert failed.value.code == "BAD_OUTPUT"


def test_an_output_above_4_mib_is_an_action_error() -> None:
    limit = OUTPUT_MAX_BYTES - len('{"someValue":""}')
    assert outcome(lambda i, c: Out(some_value="x" * limit))
    with pytest.raises(StepFailed) as failed:
        outcome(lambda i, c: Out(some_value="x" * (limit + 1)))
    assert failed.value.code == "OUTPUT_TOO_LARGE"
    assert failed.value.category is Category.ACTION


def test_a_lost_answer_is_transient_only_where_the_call_may_be_repeated() -> None:
    def lose(input: In, context: ActionContext) -> Out:
        raise AnswerLost("Gone.", details={"a": 1})

    with pytest.raises(StepFailed) as failed:
        outcome(lose)
    assert failed.value.category is Category.TRANSIENT
    with pytest.raises(StepFailed) as failed:
        outcome(lose, may_repeat=False)
    assert failed.value.category is Category.OUTCOME_UNKNOWN
    assert failed.value.details == {"a": 1}


def test_our_lost_database_and_a_cancelled_thread_are_no_outcome_of_the_action() -> None:
    def lose(input: In, context: ActionContext) -> Out:
        raise OperationalError("select 1", {}, Exception("gone"))

    class Interrupted(Exception):
        pass

    def interrupt(input: In, context: ActionContext) -> Out:
        raise Interrupted

    with pytest.raises(OperationalError):
        outcome(lose, session=create_autospec(Session, instance=True))
    with pytest.raises(Interrupted):
        outcome(interrupt, cancelled=lambda: True)
    with pytest.raises(StepFailed):
        outcome(lose)
    with pytest.raises(StepFailed):
        outcome(interrupt)


def test_an_action_may_ask_whether_it_is_cancelled() -> None:
    with pytest.raises(StepFailed) as failed:
        dataclasses.replace(CONTEXT, cancelled=lambda: True).raise_if_cancelled()
    assert failed.value.category is Category.CANCELLATION
    CONTEXT.raise_if_cancelled()
