"""What the interpreter needs of the world: the only seam between the language and its engine.

Three hosts: `engine.durable.host.TemporalHost` (production), the simulator, and FakeHost (tests).
A host holds no decisions of the language; the interpreter knows nothing of activities or rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.contract import Json


@dataclass(frozen=True, slots=True)
class StepPlace:
    """Which occurrence of which step, and which attempt of it."""

    position: int
    """Order in which occurrences and attempts began, from 1; unique in a run."""
    step_id: str
    path: str
    iter: tuple[int, ...]
    kind: str
    attempt: int = 1
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of an action call that was not a failure."""

    output: Json
    """The output, or a `ValueRef` where it is over 64 KiB."""
    quota: dict[str, Json] | None = None
    """Not executed, the quota is used up: wait for it with `wait_quota`, then call again."""


@dataclass(frozen=True, slots=True)
class ValueRef:
    """A large value that lives in the store; `Host.fetch` brings its true value."""

    value_id: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """One attempt of an action step, input resolved."""

    place: StepPlace
    action: str
    version: int
    input: Json
    quick: bool
    timeout_ms: int
    idempotency_key: str | None = None
    retry: dict[str, Json] | None = None
    handled_by: str | None = None
    """"continue", "catch", "item" or None; for the row's `handled`."""


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step that the interpreter itself executed has ended (see `Host.record`)."""

    place: StepPlace
    status: str
    started_at: datetime
    completed_at: datetime | None = None
    input: Json = None
    output: Json = None
    error: dict[str, Json] | None = None
    handled: bool = False
    next_retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaitRequest:
    """A wait to open. `kind` is time, event or human."""

    place: StepPlace
    kind: str
    started_at: datetime
    """When the step began."""
    until: datetime | None = None
    """Due time of a time wait; time-out of the others; None: for ever."""
    key: str | None = None
    event_name: str | None = None
    payload: dict[str, Json] = field(default_factory=dict)
    """What the operator sees of the wait, and what its routing needs (filters, form, …)."""
    run_waits: bool = True
    """No other branch executes now: the run is WAITING."""


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """A child run to start (control.callWorkflow)."""

    place: StepPlace
    workflow_key: str
    workflow_version: int
    payload: Json
    wants_scopes: bool = True
    """False: nothing of the child's scopes is read."""


class Host(Protocol):
    def now(self) -> datetime:
        """Workflow time: aware, UTC, and the same when history is replayed."""

    def record(self, end: StepEnd) -> None:
        """Note a row of the timeline. Buffered: it travels with the next activity."""

    def note_state(self, label: str) -> None:
        """meta.state has changed."""

    async def perform(self, request: ActionRequest) -> Performed:
        """Execute an action. The host's side writes the step's row.

        Raises `StepFailed` (the action failed), `RunOver`, `asyncio.CancelledError`; one whose
        `__cause__` is a `StepFailed` brings the error of the CANCELED row (OutcomeUnknown).
        """

    async def fetch(self, reference: ValueRef) -> Json:
        """The true value of a reference."""

    async def wait(self, request: WaitRequest) -> dict[str, Json] | None:
        """Open the wait, wait, close it. None: `until` came. Else the event or answer.

        A time wait always gives None; `until` may lie in the past. An event or answer is
        {"eventName"?, "payload"}: those two become vars.eventName and vars.event. Writes the
        wait's row and the step's STARTED row; the interpreter records how the step ended.
        Cancellation closes the wait as CANCELED.
        """

    async def wait_quota(
        self, place: StepPlace, quota: dict[str, Json], run_waits: bool = True
    ) -> None:
        """Pause until the quota is released. `run_waits`: as in `WaitRequest`."""

    def note_branch_ended(self, *, all_wait: bool) -> None:
        """A branch of a concurrent loop has ended and others are left, which may call nothing for
        days: its rows are to be written. `all_wait`: the run is WAITING now."""

    async def admit(self, place: StepPlace, started_at: datetime) -> dict[str, Json] | None:
        """Reserve quota for a wait, task or call step; None: admitted; else the quota's state."""

    async def back_off(self, until: datetime) -> None:
        """Sleep between attempts: the run stays RUNNING."""

    async def start_child(self, request: ChildRequest) -> dict[str, Json]:
        """Start a child run and wait for it: its final scopes {payload, vars, meta, …}, large
        values as `ValueRef`; {} where they are not wanted.

        Raises `StepFailed` of category ChildWorkflowError with `details.cause`.
        """

    async def spend(self, evaluations: int, records: int) -> None:
        """Account for pure work; the host flushes and yields when a budget is used up."""

    def wants_checkpoint(self) -> bool:
        """Asked at every step boundary where no other branch runs (continue-as-new)."""
