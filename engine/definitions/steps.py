"""The closed union of step kinds (docs/authoring.md, Steps; original 2.2 and 2.3).

A node step has its fields in `config`, a control step at its top. `retry` and `onError` stand only
where they have an effect. What the fields mean together is checked in `check.py`, not here.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Union, get_args

from pydantic import Field

from engine.contract import Json
from engine.definitions.fields import (
    DAY_MS,
    MAX_CONCURRENCY,
    Duration,
    Expr,
    Exprs,
    Mapping,
    OnError,
    Part,
    Retry,
    Text,
    Version,
    WorkflowKey,
)


class _Step(Part):
    id: Text


class _Node(_Step):
    name: Text | None = None


class ActionCallConfig(Part):
    action_id: Text
    version: Version
    input_mapping: Mapping = Field(default_factory=dict)
    save_as: Text | None = None
    idempotency_key: Expr | None = None
    timeout_ms: Annotated[int, Field(ge=1, le=DAY_MS)] = 30_000
    on_error: OnError | None = None


class ActionCall(_Node):
    """Calls a registered action."""

    type: Literal["action.call"]
    config: ActionCallConfig
    retry: Retry | None = None
    on_error: OnError | None = None


class AssignConfig(Part):
    assign: Exprs


class TransformAssign(_Node):
    """Evaluates expressions in order, each seeing what those before it wrote."""

    type: Literal["transform.assign"]
    config: AssignConfig
    on_error: OnError | None = None


class StateConfig(Part):
    state: Text


class StateSet(_Node):
    """Sets meta.state, a progress label."""

    type: Literal["state.set"]
    config: StateConfig


FilterOperator = Literal[
    "=", "!=", "in", "not_in", "exists", "not_exists",
    ">", ">=", "<", "<=", "contains", "starts_with", "ends_with",
]  # fmt: skip


class Filter(Part):
    path: Text
    op: FilterOperator
    value: Json = None


class EventWaitConfig(Part):
    event_name: Text
    correlation_key: Expr
    filters: list[Filter] | None = None
    timeout_ms: Duration | None = None
    assign: Exprs | None = None


class EventWait(_Node):
    """Waits for a correlated event; in time, or it fails with a TimeoutError."""

    type: Literal["event.wait"]
    config: EventWaitConfig
    on_error: OnError | None = None


class DurationConfig(Part):
    mode: Literal["duration"]
    duration_ms: Duration
    assign: Exprs | None = None


class UntilConfig(Part):
    mode: Literal["until"]
    until: Expr
    assign: Exprs | None = None


class TimeWait(_Node):
    """A durable timer."""

    type: Literal["time.wait"]
    config: Annotated[DurationConfig | UntilConfig, Field(discriminator="mode")]
    on_error: OnError | None = None


class HumanTaskConfig(Part):
    task_type: Text | None = None
    form: dict[str, Json] | None = None
    title: Expr
    description: Expr | None = None
    context_data: Exprs | None = None
    assignee: Expr | Text | None = None
    due_in_ms: Duration | None = None
    timeout_ms: Duration | None = None
    assign: Exprs | None = None


class HumanTask(_Node):
    """Puts a task into the inbox and waits for its answer."""

    type: Literal["human.task"]
    config: HumanTaskConfig
    on_error: OnError | None = None


class ControlIf(_Step):
    """One branch or the other; the condition must be a boolean."""

    type: Literal["control.if"]
    condition: Expr
    then: list[Step]
    else_: list[Step] | None = Field(None, alias="else")


class ControlForEach(_Step):
    """The body once for every item of a list."""

    type: Literal["control.forEach"]
    items: Expr
    item_var: Text
    concurrency: Annotated[int, Field(ge=1, le=MAX_CONCURRENCY)] = 1
    body: list[Step]
    on_item_error: Literal["continue", "fail"] = "fail"


class ControlTryCatch(_Step):
    """The catch branch when the try branch fails; the error is `error`."""

    type: Literal["control.tryCatch"]
    try_: list[Step] = Field(alias="try")
    catch: list[Step]
    capture_error_as: Text | None = None


class ControlCallWorkflow(_Step):
    """Runs another published workflow and waits for it."""

    type: Literal["control.callWorkflow"]
    workflow_id: WorkflowKey
    workflow_version: Version | None = None
    input_mapping: Exprs | None = None
    output_mapping: Exprs | None = None
    retry: Retry | None = None
    on_error: OnError | None = None


class ControlReturn(_Step):
    """Ends its run successfully, from any depth."""

    type: Literal["control.return"]


Step = Annotated[
    Union[  # noqa: UP007 - a recursive alias of this length reads better
        ActionCall, TransformAssign, StateSet, EventWait, TimeWait, HumanTask,
        ControlIf, ControlForEach, ControlTryCatch, ControlCallWorkflow, ControlReturn,
    ],
    Field(discriminator="type"),
]  # fmt: skip

for _model in (ControlIf, ControlForEach, ControlTryCatch):
    _model.model_rebuild()

KINDS: Final[tuple[str, ...]] = tuple(
    get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(Step)[0])
)

BLOCKS: Final = ("then", "else", "body", "try", "catch")
"""Fields that hold steps, in the order in which they are written and shown."""
