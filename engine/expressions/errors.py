"""How expressions fail: refused before they run, or failing while they do."""

from __future__ import annotations

from engine.errors import RunStudioError


class ExpressionRefused(RunStudioError):
    """The source is not in the language. `position` counts characters from the start."""

    code = "INVALID_EXPR"

    def __init__(self, message: str, position: int = 0, *, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.suggestion = suggestion


class Fault(Exception):
    """A fault while evaluating; `Expression.evaluate` makes a StepFailed of it."""

    code = "EXPRESSION_FAILED"


class BudgetSpent(Fault):
    code = "EXPRESSION_BUDGET"


class ResultRefused(Fault):
    """The value is no JSON, or too much of it."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code
