"""An action: what it takes and gives, whether it may be repeated, and how it is run.

Third parties make an `Action` of their own and name it by an entry point of the group
`run_studio.actions` (docs/actions.md). An action's `run` is synchronous: it runs in a worker's
thread. It raises `StepFailed` for what the author should see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.catalogue import ActionSpec
from engine.errors import Category, StepFailed
from engine.interpreter.transforms.fields import validated


class AnswerLost(StepFailed):
    """The call may have been made, and its answer was lost.

    It counts as a TransientError where it may be made again, else as OutcomeUnknown
    (docs/authoring.md, "Repeating an effect needs consent").
    """

    def __init__(self, message: str, *, details: dict[str, Json] | None = None) -> None:
        super().__init__(Category.TRANSIENT, message, code="ANSWER_LOST", details=details)


class Interrupted(Exception):
    """An action has stopped because it was cancelled, when its effect may have begun.

    The attempt is CANCELED with OutcomeUnknown (rules.md 3). Where nothing was begun, or nothing
    is changed by it, `ActionContext.raise_if_cancelled` tells it.
    """


WriteLog = Callable[[str, str, Mapping[str, Json] | None], None]
"""Level (DEBUG, INFO, WARN, ERROR), message, context: a line in the run's log."""


def _no_log(level: str, message: str, context: Mapping[str, Json] | None) -> None:
    """Discards it."""


def _no_secret(name: str) -> str:
    raise StepFailed(
        Category.ACTION, f"There is no secret {name}.", code="SECRET_NOT_FOUND"
    ) from None


def _not_cancelled() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an action is given beside its input."""

    run_id: str
    idempotency_key: str
    """The same for every attempt of an occurrence: hand it to whoever can use it."""
    now: datetime
    attempt: int = 1
    session: Session | None = None
    """Open and inside a transaction where the action declares `in_transaction`; never committed
    by the action."""
    log: WriteLog = _no_log
    secret: Callable[[str], str] = _no_secret
    """Value of a named secret; raises ActionError. References in the input are resolved before."""
    cancelled: Callable[[], bool] = _not_cancelled
    timeout_s: float = 30.0
    """What is left of the step's `timeoutMs`, in seconds."""

    def raise_if_cancelled(self) -> None:
        if self.cancelled():
            raise StepFailed(Category.CANCELLATION, "The run is being cancelled.")

    def database(self) -> Session:
        """The session of the recording transaction; only for actions that are `in_transaction`."""
        if self.session is None:
            raise RuntimeError("the action is in_transaction but was given no session")
        return self.session


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    version: int
    Input: type[BaseModel]
    Output: type[BaseModel]
    run: Callable[[Any, ActionContext], BaseModel | Mapping[str, Json]]
    summary: str
    repeatable: bool | Callable[[Any], bool] = False
    """May it run again after a lost worker or answer? A callable decides by the input."""
    quick: bool = False
    """Answers in milliseconds and leaves the house for nothing (docs/rules.md 3)."""
    in_transaction: bool = False
    """Works on our own database inside the recording transaction: exactly once (rules.md 3)."""

    @property
    def name(self) -> str:
        return f"{self.id}@{self.version}"

    def read(self, input: Json) -> BaseModel:
        """The input as its model, secrets resolved. Raises ValidationError with pointers."""
        return validated(self.Input, input)

    def may_repeat(self, input: BaseModel) -> bool:
        """May this call be made again without the author's consent? (docs/authoring.md, Retry)"""
        return self.repeatable(input) if callable(self.repeatable) else self.repeatable

    @property
    def spec(self) -> ActionSpec:
        return ActionSpec(
            action=self.id,
            version=self.version,
            input_schema=self.Input.model_json_schema(),
            output_schema=self.Output.model_json_schema(mode="serialization"),
            summary=self.summary,
            quick=self.quick,
            repeatable=self.repeatable is True,
        )
