"""When a run counts as queued, and what may be said of the reason (PRD goal 5; docs/rules.md 11).

Zero steps and an age over 60 s only *trigger* the banner. What it says is a verdict from evidence:
a cause that was not checked is not named. The same verdicts explain a run that has begun and stands
still, but only where Temporal itself shows what it stands at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from engine.runs.status import RunStatus

QUEUED_AFTER: Final = timedelta(seconds=60)
QUIET_AFTER: Final = timedelta(seconds=10)
"""A run with steps of which nothing was recorded for so long may stand still: it is looked at."""
WORKER_FRESH_FOR: Final = timedelta(seconds=20)
"""A worker writes its heartbeat every 5 s: after 20 s it is taken for gone."""
POLL_FRESH_FOR: Final = timedelta(seconds=75)
"""A live worker's last poll is up to 70 s old (docs/measured.md 4)."""


def is_queued(status: RunStatus, step_count: int, started_at: datetime, now: datetime) -> bool:
    """RUNNING, no step yet, and accepted more than 60 s ago."""
    return status is RunStatus.RUNNING and step_count == 0 and now - started_at > QUEUED_AFTER


class Verdict(StrEnum):
    NOT_SENT = "NOT_SENT"
    ENGINE_UNREACHABLE = "ENGINE_UNREACHABLE"
    NO_WORKER = "NO_WORKER"
    AT_CAPACITY = "AT_CAPACITY"
    WRONG_REGISTRY = "WRONG_REGISTRY"
    TASK_FAILING = "TASK_FAILING"
    RATE_LIMITED = "RATE_LIMITED"
    PROJECTION_LAG = "PROJECTION_LAG"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Workers:
    """What workers write of themselves: the fast truth (docs/rules.md 11)."""

    living: int = 0
    """Those that reported within the last 20 s and are not leaving."""
    seen_at: datetime | None = None
    """The newest report of any, living or not; None: none was ever seen."""
    slots: int = 0
    slots_used: int = 0
    registry_differs: bool | None = None
    """All that live know other actions than this process; None: none lives, or it cannot tell."""
    just_came: bool = False
    """One started moments ago: Temporal may not list it yet."""

    @property
    def full(self) -> bool:
        return 0 < self.slots <= self.slots_used


@dataclass(frozen=True, slots=True)
class Queue:
    """What Temporal says of the task queue."""

    namespace: str
    polled_at: datetime | None
    """The newest poll it knows; a killed worker stays listed for 300 s."""
    backlog: int = 0
    backlog_age_s: float = 0.0
    rate_limited: bool = False


class Held(StrEnum):
    """Where Temporal shows the run to stand."""

    QUEUED = "queued"
    """A task waits for a worker to take it."""
    AT_WORKER = "at worker"
    NOWHERE = "nowhere"
    """Nothing of it waits: it is asleep, or has ended."""


@dataclass(frozen=True, slots=True)
class Place:
    """How the run stands in Temporal."""

    held: Held = Held.QUEUED
    since: datetime | None = None
    ended: bool = False
    attempt: int = 1
    """Of the task that waits or is executed; above 1 one before it failed."""
    failure: str | None = None
    failed_at: datetime | None = None
    worker_lost: bool = False
    """The task ran out of time: who had taken it is gone."""

    @property
    def failing(self) -> bool:
        return self.attempt > 1 or self.failure is not None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, and when; None where nobody looked or could look."""

    at: datetime
    """When Temporal was asked."""
    engine_answers: bool | None = None
    engine_answered_at: datetime | None = None
    """The last time that it did."""
    engine_knows_run: bool | None = None
    """Temporal has an execution of this run's workflow id."""
    place: Place | None = None
    claimed: bool = False
    """A workflow has claimed the row: a worker has executed the run's first task."""
    workers: Workers = Workers()
    queue: Queue | None = None

    @property
    def polled(self) -> bool:
        """Does anybody who lives poll? Where Temporal was not asked, the workers' word counts."""
        if not self.workers.living:
            return False
        if self.queue is None or self.workers.just_came:
            return True
        at = self.queue.polled_at
        return at is not None and self.at - at <= POLL_FRESH_FOR


def verdict(evidence: Evidence) -> Verdict:
    """The most specific cause that the evidence proves; UNKNOWN when it proves none."""
    place = evidence.place
    if evidence.engine_answers is False:
        return Verdict.ENGINE_UNREACHABLE
    if evidence.engine_knows_run is False:
        return Verdict.UNKNOWN if evidence.claimed else Verdict.NOT_SENT
    if place and place.ended:
        return Verdict.PROJECTION_LAG
    if place and place.failing:
        return Verdict.TASK_FAILING
    if not evidence.workers.living:
        return Verdict.NO_WORKER
    if _begun(evidence):
        return Verdict.PROJECTION_LAG
    if evidence.workers.registry_differs:
        return Verdict.WRONG_REGISTRY
    if evidence.queue and evidence.queue.rate_limited:
        return Verdict.RATE_LIMITED
    if not evidence.polled and not evidence.workers.full:
        return Verdict.NO_WORKER
    return Verdict.AT_CAPACITY if evidence.engine_knows_run else Verdict.UNKNOWN


def _begun(evidence: Evidence) -> bool:
    """A worker has it, or has had it and nothing of it waits in the queue."""
    if evidence.place is None:
        return evidence.claimed
    at_worker = evidence.place.held is Held.AT_WORKER
    return at_worker or (evidence.claimed and evidence.place.held is Held.NOWHERE)


def hindrance(evidence: Evidence) -> Verdict | None:
    """Why a run that has begun does not go on; None where Temporal shows nothing that hinders it.

    A task that fails is told at once; one that nobody takes when it has waited for a minute.
    """
    place = evidence.place
    if not evidence.engine_answers or place is None or place.ended:
        return None
    if place.failing:
        return Verdict.TASK_FAILING
    since = place.since if place.held is Held.QUEUED else None
    if since is None or evidence.at - since <= QUEUED_AFTER:
        return None
    return verdict(evidence)
