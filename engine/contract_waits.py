"""The contract of waits: what comes into a running workflow, and the quota (docs/rules.md 7).

A part of `engine.contract`, under the same rules: plain dataclasses, fields are only ever added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from engine.contract import Batch, Json

ACTIVITY_ADMIT_STEP: Final = "admit_step"

SIGNAL_EVENT: Final = "event"
"""Its argument: an `EventSignal`, as JSON. One for a wait that has ended is passed over."""
SIGNAL_QUOTA_RELEASED: Final = "quota_released"
"""Its argument: a `QuotaReleased`, as JSON."""
UPDATE_ANSWER_TASK: Final = "answer_task"
"""Its argument: a `TaskAnswer`, as JSON. Refused with an ApplicationError of a type below."""
TASK_NOT_OPEN: Final = "TASK_NOT_OPEN"
"""Details: {answeredBy?, answeredAt?}."""
ANSWER_DOES_NOT_FIT: Final = "ANSWER_DOES_NOT_FIT"
"""Details: a list of {pointer, message, code}."""


@dataclass(frozen=True, slots=True)
class OpenWait:
    run_id: str
    batch: Batch
    wait_id: str
    position: int
    step_id: str
    path: str
    iter: list[int]
    attempt: int
    kind: str
    """The step's kind, for its row; `wait_type` is the wait's: time, event, human, quota."""
    wait_type: str
    started_at: int
    timeout_at: int | None = None
    key: str | None = None
    event_name: str | None = None
    payload: dict[str, Json] = field(default_factory=dict)
    input: Json = None
    run_waits: bool = True
    """No other branch executes: the run's status becomes WAITING."""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class WaitAnswer:
    take_boundary: bool = False
    run_over: bool = False
    event: dict[str, Json] | None = None
    """An event that came before the wait opened: {eventId, eventName, correlationKey, payload}."""
    repeated: bool = False
    form: dict[str, Json] | None = None
    """JSON Schema of a human task's answer."""
    problem: str | None = None
    """The wait was not opened: its step fails with this ValidationError."""
    counted: bool = False
    """A quota is configured: later waits are to be admitted first."""


@dataclass(frozen=True, slots=True)
class AdmitStep:
    """Reserve quota for a wait, task or call step before it has any effect."""

    run_id: str
    batch: Batch
    position: int
    step_id: str
    path: str
    iter: list[int]
    attempt: int
    kind: str
    started_at: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    take_boundary: bool = False
    run_over: bool = False
    repeated: bool = False
    quota: dict[str, Json] | None = None
    """Not admitted: as in `ActionAnswer`."""


@dataclass(frozen=True, slots=True)
class EventSignal:
    wait_id: str
    event_id: str
    event_name: str
    payload: Json = None
    correlation_key: str | None = None


@dataclass(frozen=True, slots=True)
class QuotaReleased:
    wait_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    task_id: str
    payload: Json
    token: str
    answered_by: str | None = None
    answered_by_id: str | None = None
