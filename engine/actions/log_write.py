"""`log.write`: a line in the run's log, written with the step's own row."""

from __future__ import annotations

from typing import Any, Final, Literal

from engine.actions.action import Action, ActionContext
from engine.interpreter.transforms.fields import Fields, Result
from engine.runs.status import LogLevel


class LogLine(Fields):
    level: Literal["DEBUG", "INFO", "WARN", "ERROR", "debug", "info", "warn", "error"]
    message: str
    context: dict[str, Any] | None = None


class Nothing(Result):
    """{}"""


def _write(input: LogLine, context: ActionContext) -> Nothing:
    context.log(LogLevel(input.level.upper()), input.message, input.context)
    return Nothing()


LOG_WRITE: Final = Action(
    id="log.write",
    version=1,
    Input=LogLine,
    Output=Nothing,
    run=_write,
    summary="Write a line into the run's log.",
    repeatable=True,
    quick=True,
    in_transaction=True,
)
