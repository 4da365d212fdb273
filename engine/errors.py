"""What can go wrong, as one small tree.

    RunStudioError                    .code .message .details
    ├── NotFound                      no such definition, run, wait (HTTP 404)
    ├── Forbidden                     this operator may not (403)
    ├── Conflict                      not in the state it is in (409)
    ├── Invalid                       .problems, one beside each field (422)
    ├── TooLarge                      above a documented limit (413)
    ├── TooMany                       rate or concurrency limit; .retry_after_s (429)
    ├── Unavailable                   Temporal or the database cannot be reached (503)
    ├── StepFailed                    a step's failure; .as_data() is what travels
    └── RunOver                       the row is terminal; the workflow must end

What `StepFailed` carries is what the author sees: {category, code?, message, details?, nodePath,
iter?, at}. Nothing is ever decided by words in a message (docs/architecture.md 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.contract import Json


class Category(StrEnum):
    """Error categories of the language (docs/authoring.md, Retry and errors)."""

    VALIDATION = "ValidationError"
    EXPRESSION = "ExpressionError"
    TRANSIENT = "TransientError"
    ACTION = "ActionError"
    TIMEOUT = "TimeoutError"
    QUOTA = "QuotaExceeded"
    CHILD = "ChildWorkflowError"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    STATE_TOO_LARGE = "StateTooLarge"
    CANCELLATION = "Cancellation"
    INTERPRETER = "InterpreterError"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input: `pointer` is a JSON pointer or a field's name."""

    pointer: str
    message: str
    code: str = "INVALID"


class RunStudioError(Exception):
    """Root of the tree. `code` is stable and may be relied on; the message may change."""

    code = "ERROR"

    def __init__(
        self, message: str, *, code: str | None = None, details: dict[str, Json] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details or {}


class NotFound(RunStudioError):
    code = "NOT_FOUND"


class Forbidden(RunStudioError):
    code = "FORBIDDEN"


class Conflict(RunStudioError):
    code = "CONFLICT"


class Invalid(RunStudioError):
    code = "INVALID"

    def __init__(self, message: str, problems: list[Problem], *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.problems = problems


class TooLarge(RunStudioError):
    code = "TOO_LARGE"


class TooMany(RunStudioError):
    code = "TOO_MANY"

    def __init__(self, message: str, *, retry_after_s: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s


class Unavailable(RunStudioError):
    code = "UNAVAILABLE"


class StepFailed(RunStudioError):
    """A failure that the author's retry, onError and catch may take."""

    def __init__(
        self,
        category: Category,
        message: str,
        *,
        code: str | None = None,
        details: dict[str, Json] | None = None,
    ) -> None:
        super().__init__(message, code=code or category.value, details=details)
        self.category = category
        self.own_code = code

    def as_data(self) -> dict[str, Json]:
        """{category, message, code?, details?}; the interpreter adds nodePath, iter and at."""
        data: dict[str, Json] = {"category": self.category.value, "message": self.message}
        if self.own_code is not None:
            data["code"] = self.own_code
        if self.details:
            data["details"] = self.details
        return data

    @classmethod
    def from_data(cls, data: dict[str, Json]) -> StepFailed:
        """The reverse of `as_data`; an unknown category is an ActionError."""
        try:
            category = Category(data.get("category", ""))
        except ValueError:
            category = Category.ACTION
        return cls(
            category,
            str(data.get("message", "")),
            code=data.get("code"),
            details=data.get("details"),
        )


class RunOver(RunStudioError):
    """The run's row is terminal: whoever executes it must stop and write nothing more."""

    code = "RUN_OVER"
