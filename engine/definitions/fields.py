"""What the models of a document share: strictness, expressions, retry policies, durations."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from engine.contract import Json
from engine.errors import Category

TEN_YEARS_MS: Final = 10 * 365 * 24 * 60 * 60 * 1000 + 3 * 24 * 60 * 60 * 1000
"""Ten years with their leap days: the longest duration and wait (docs/authoring.md)."""
DAY_MS: Final = 24 * 60 * 60 * 1000
MAX_ATTEMPTS: Final = 10_000
MAX_CONCURRENCY: Final = 50

DESIGNER_PREFIX: Final = "designer"
"""Fields of a visual editor: kept in the stored document, without meaning here."""

Text = Annotated[str, StringConstraints(min_length=1)]
WorkflowKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Duration = Annotated[int, Field(ge=1, le=TEN_YEARS_MS, description="Milliseconds, to 10 years.")]
Delay = Annotated[int, Field(ge=0, le=TEN_YEARS_MS, description="Milliseconds.")]


class Part(BaseModel):
    """A part of a document: JSON types as they are, and no field that is not named."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        json_schema_extra={"patternProperties": {f"^{DESIGNER_PREFIX}": {}}},
    )

    @model_validator(mode="before")
    @classmethod
    def _without_designer_fields(cls, data: Any) -> Any:
        if isinstance(data, dict) and any(_of_designer(key) for key in data):
            return {key: value for key, value in data.items() if not _of_designer(key)}
        return data


def _of_designer(key: object) -> bool:
    return isinstance(key, str) and key.startswith(DESIGNER_PREFIX)


class Exact(BaseModel):
    """As `Part`, for objects in which nothing else may stand, not even an editor's fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class Expr(Exact):
    """An expression. Nothing stands beside it."""

    expr: str = Field(alias="$expr", description="An expression (docs/authoring.md).")


Mapping = dict[str, Json]
"""Literals with `{"$expr"}` and `{"$secret"}` at any depth."""
Exprs = dict[str, Expr]

RetryOn = Literal[
    "ValidationError",
    "ExpressionError",
    "TransientError",
    "ActionError",
    "TimeoutError",
    "QuotaExceeded",
    "ChildWorkflowError",
    "OutcomeUnknown",
    "StateTooLarge",
]
NEVER_CAUGHT: Final = frozenset({Category.CANCELLATION, Category.INTERPRETER})
"""The other categories: no retry policy may name them."""


class Retry(Exact):
    """When a failed attempt is made again. Without retryOn: TransientError and TimeoutError."""

    max_attempts: Annotated[int, Field(ge=1, le=MAX_ATTEMPTS)]
    backoff_ms: Delay
    backoff_multiplier: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 2
    jitter: bool = True
    max_delay_ms: Delay | None = None
    retry_on: list[RetryOn] | None = None


class OnError(Exact):
    """continue: the step is FAILED, `error` is set, the run goes on."""

    policy: Literal["continue", "fail"]
