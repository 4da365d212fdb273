"""What the run page, the export and the commands show of a run: redacted, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.runs.payload import RedactedPayload
from engine.runs.status import LogLevel, RunStatus, StepStatus


@dataclass(frozen=True, slots=True)
class ErrorView:
    message: str
    category: str | None = None
    code: str | None = None
    node_path: str | None = None
    stage: str | None = None
    """`launch`: it was never started."""
    details: RedactedPayload | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """One attempt of one occurrence."""

    step_id: str | None
    """The author's id; NULL in rows from before the cut-over."""
    path: str
    iter: tuple[int, ...]
    kind: str | None
    name: str | None
    action: str | None
    status: StepStatus
    attempt: int
    position: int
    started_at: datetime
    completed_at: datetime | None
    duration_ms: int | None
    next_retry_at: datetime | None
    handled: bool
    superseded: bool
    input: RedactedPayload | None
    output: RedactedPayload | None
    error: ErrorView | None

    @property
    def depth(self) -> int:
        """How many blocks it stands in."""
        return max(0, self.path.count(".steps[") - 1)


@dataclass(frozen=True, slots=True)
class OccurrenceView:
    """A step at its place, with every attempt that was made; the newest says how it stands."""

    key: str
    attempts: tuple[StepView, ...]

    @property
    def last(self) -> StepView:
        return self.attempts[-1]

    @property
    def first_position(self) -> int:
        return self.attempts[0].position


@dataclass(frozen=True, slots=True)
class Timeline:
    occurrences: tuple[OccurrenceView, ...] = ()
    """In the order in which they began."""
    before: int | None = None
    """Ask for `steps_before` this to see earlier ones; None: these are the first."""

    def find(self, key: str | None) -> OccurrenceView | None:
        return next((found for found in self.occurrences if found.key == key), None)


@dataclass(frozen=True, slots=True)
class WaitView:
    wait_id: str
    wait_type: str
    status: str
    path: str
    key: str | None
    event_name: str | None
    timeout_at: datetime | None
    created_at: datetime
    resolved_at: datetime | None
    payload: RedactedPayload | None


@dataclass(frozen=True, slots=True)
class LogView:
    log_id: str
    at: datetime
    level: LogLevel
    message: str
    path: str | None
    source: str | None
    context: RedactedPayload | None


@dataclass(frozen=True, slots=True)
class RelatedRun:
    """Another run that this one comes from or led to."""

    run_id: str
    status: RunStatus
    started_at: datetime
    workflow_name: str


@dataclass(frozen=True, slots=True)
class CancelView:
    requested_at: datetime
    requested_by: str | None
    reason: str | None
    delivered_at: datetime | None
    """When Temporal took it."""
    waiting_for: str | None
    """Name of the action that must end first."""


@dataclass(frozen=True, slots=True)
class RunView:
    run_id: str
    status: RunStatus
    workflow_key: str | None
    workflow_name: str
    workflow_version: int
    workflow_paused: bool
    workflow_published: bool
    engine: str | None
    temporal_workflow_id: str | None
    temporal_run_id: str | None
    born_of: str
    """manual, replay, child, or what the trigger's type says."""
    trigger_type: str | None
    event_name: str | None
    """Of the event that started it."""
    correlation_key: str | None
    started_by: str | None
    reason: str | None
    state_label: str | None
    node_path: str | None
    started_at: datetime
    claimed_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime
    definition_hash: str | None
    payload: RedactedPayload
    trigger_metadata: RedactedPayload | None
    error: ErrorView | None
    cancel: CancelView | None
    replay_of: RelatedRun | None
    replayed_as: tuple[RelatedRun, ...]
    parent: RelatedRun | None
    children: tuple[RelatedRun, ...]
