"""What every service needs, made once by the composition root and passed as the first argument."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from engine.contract import Json
from engine.definitions.catalogue import Catalogue
from engine.gateway.executions import (
    Ending,
    Execution,
    QueueView,
    Signal,
    TaskFailure,
    UpdateOutcome,
)
from engine.gateway.histories import Rehearsal, SealedHistory
from engine.store.session import Store


class RunGateway(Protocol):
    """Temporal, as services see it. Synchronous; every call has a time limit.

    All raise `engine.errors.Unavailable` when Temporal cannot be reached or does not answer.
    """

    def start_run(self, run_id: str) -> str:
        """Start, or find started, the run's workflow; its first execution run id.

        Harmless to repeat (docs/rules.md 2). A workflow that has ended already is success too.
        """

    def cancel_run(self, temporal_workflow_id: str) -> bool:
        """Ask for cancellation. False: Temporal does not know the workflow, or it has ended."""

    def describe_run(self, temporal_workflow_id: str) -> Execution | None:
        """The newest execution under this id; None: Temporal knows none."""

    def ending_of(self, temporal_workflow_id: str) -> Ending:
        """How a closed execution ended."""

    def open_run_ids(self, *, limit: int) -> list[str]:
        """Workflow ids of at most `limit` open runs. Eventually consistent: a hint, no proof."""

    def terminate_run(self, temporal_workflow_id: str, reason: str) -> bool:
        """End it at once, without clean-up. False as in `cancel_run`."""

    def signal_runs(self, signals: Sequence[Signal]) -> list[bool | None]:
        """Tell running workflows. True: taken; False: no such open workflow; None: no answer."""

    def update_run(
        self, temporal_workflow_id: str, name: str, argument: Json, update_id: str
    ) -> UpdateOutcome:
        """Ask a running workflow to take something, and wait for its yes for 10 s at most.

        The same `update_id` again is the same update.
        """

    def reachable(self) -> bool:
        """Does Temporal answer, and is the namespace there?"""


class QueueGateway(Protocol):
    """What Temporal knows of the task queue, for verdicts; raises `Unavailable` as `RunGateway`."""

    def describe_queue(self) -> QueueView:
        """Who polls, and what waits: a few calls, rate-limited, not for each row of a list."""

    def last_task_failure(self, temporal_workflow_id: str) -> TaskFailure | None:
        """Why the newest workflow task failed; None: it did not, or the workflow is unknown."""


class HistoryGateway(Protocol):
    """What Temporal keeps of an execution; raises `Unavailable` as `RunGateway`."""

    def histories_of(
        self, temporal_workflow_id: str, *, most_bytes: int
    ) -> list[SealedHistory] | None:
        """Of every execution under this id, the first one first; empty: Temporal has none.

        Payloads are encrypted. None: together they are larger than `most_bytes`.
        """

    def rehearse(self, histories: list[Json]) -> list[Rehearsal]:
        """Go through exported histories with this release's code; Temporal is not asked."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures an installation may set (engine.settings)."""

    payload_bytes: int = 512 * 1024
    launches_per_minute: int = 60
    """For each operator."""
    sign_in_attempts_per_minute: int = 10
    """Failed ones, for each address and each email."""
    session_hours: int = 12


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: for audit rows and rate limits. Never used to decide rights (guard.py does)."""

    operator_id: str | None = None
    email: str | None = None
    source: str = "ui"
    """ui, command, worker."""
    source_ip: str | None = None
    bulk_id: str | None = None
    """The bulk operation that this is an item of: noted in its audit rows."""


@dataclass(frozen=True, slots=True)
class Services:
    store: Store
    gateway: RunGateway
    catalogue: Catalogue
    limits: Limits
    redaction_patterns: tuple[str, ...] = ()
    """The installation's key patterns, beside the built-in ones."""
    redaction_pointers: tuple[str, ...] = ()
    queues: QueueGateway | None = None
    """None where nobody asks for verdicts: in a worker."""
    histories: HistoryGateway | None = None
    """None where nobody exports: in a worker."""
    secret_names: Collection[str] | None = None
    """The secrets that this process sees, for findings at publish; None: it cannot tell."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
