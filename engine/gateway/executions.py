"""An execution as Temporal describes it, in this program's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from engine.contract import Json, RunResult

WORKER_LOST: Final = "WORKER_LOST"
"""Cause of a workflow task that a worker took and did not complete in time."""


class ExecutionState(StrEnum):
    OPEN = "OPEN"
    """Running or paused."""
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TERMINATED = "TERMINATED"
    TIMED_OUT = "TIMED_OUT"


@dataclass(frozen=True, slots=True)
class PendingTask:
    """The workflow task that Temporal waits for a worker to complete."""

    started: bool
    """A worker has it; False: it is in the queue."""
    attempt: int
    scheduled_at: datetime | None

    @property
    def never_picked_up(self) -> bool:
        """Rules.md 11, but for the history, which must hold no WORKFLOW_TASK_STARTED."""
        return not self.started and self.attempt <= 1


@dataclass(frozen=True, slots=True)
class PendingActivity:
    """An activity that Temporal waits for."""

    name: str
    started: bool
    """A worker has it; False: it is in the queue, or waits to be tried again."""
    attempt: int
    scheduled_at: datetime | None
    failure: str | None
    """Why the attempt before this one failed."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The newest execution under a workflow id."""

    workflow_id: str
    run_id: str
    state: ExecutionState
    started_at: datetime
    closed_at: datetime | None
    history_length: int
    pending_task: PendingTask | None
    pending_activities: tuple[PendingActivity, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state is ExecutionState.OPEN


@dataclass(frozen=True, slots=True)
class Ending:
    """How a closed execution ended: a result, or what Temporal says of the failure."""

    result: RunResult | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One message to one running workflow."""

    workflow_id: str
    name: str
    argument: Json


class UpdateState(StrEnum):
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    """By the workflow's validator: nothing of it is in history."""
    UNCONFIRMED = "UNCONFIRMED"
    """No answer in time: it may still be accepted when a worker comes."""
    UNKNOWN = "UNKNOWN"
    """There is no such open workflow."""


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    state: UpdateState
    refused_as: str = ""
    """The refusal's type."""
    details: Json = None


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """Why the newest workflow task that did not complete has failed."""

    cause: str
    """Temporal's name of the cause, or `WORKER_LOST`."""
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Poller:
    identity: str
    last_seen_at: datetime
    """A killed worker stays listed for 300 s with this frozen; a live one's is under 70 s old."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """The task queue as Temporal sees it."""

    workflow_pollers: tuple[Poller, ...]
    activity_pollers: tuple[Poller, ...]
    backlog: int
    """Tasks in the queue, about. 0 proves nothing: an idle queue is unloaded and counts anew."""
    backlog_age_s: float
    rate_limited: bool
    """Temporal holds the queue back: more workers would not help."""
    namespace: str = "default"

    @property
    def last_poll_at(self) -> datetime | None:
        return max((poller.last_seen_at for poller in self.workflow_pollers), default=None)


def moment(stamp: Timestamp) -> datetime:
    """A protobuf timestamp as an aware datetime."""
    return stamp.ToDatetime(tzinfo=UTC)
