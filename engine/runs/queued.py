"""When a run counts as queued, and what may be said of the reason (PRD goal 5; docs/rules.md 11).

Zero steps and an age over 60 s only *trigger* the banner. What it says is a verdict from evidence:
a cause that was not checked is not named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from engine.runs.status import RunStatus

QUEUED_AFTER: Final = timedelta(seconds=60)
WORKER_FRESH_FOR: Final = timedelta(seconds=20)
"""A worker writes its heartbeat every 5 s: after 20 s it is taken for gone."""


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
class Evidence:
    """What was seen, and when; None where nobody looked or could look."""

    at: datetime
    engine_reachable: bool | None = None
    engine_knows_run: bool | None = None
    """Temporal has an execution of this run's workflow id."""
    claimed: bool = False
    """A workflow has claimed the row: a worker has executed the run's first task."""
    worker_seen_at: datetime | None = None
    """Newest heartbeat of any worker."""
    poller_seen_at: datetime | None = None
    """Newest poll of the queue that Temporal knows; a killed worker stays listed for 300 s."""
    registry_differs: bool | None = None
    """A worker lives, but knows other actions than this web process."""
    task_attempt: int = 0
    """Attempts of the pending workflow task; above 1 it was picked up and failed."""
    task_failure: str | None = None
    rate_limited: bool | None = None


def verdict(evidence: Evidence) -> Verdict:
    """The most specific cause that the evidence proves; UNKNOWN when it proves none."""
    if evidence.engine_reachable is False:
        return Verdict.ENGINE_UNREACHABLE
    if evidence.engine_knows_run is False and not evidence.claimed:
        return Verdict.NOT_SENT
    if evidence.task_attempt > 1 or evidence.task_failure:
        return Verdict.TASK_FAILING
    if evidence.claimed:
        return Verdict.PROJECTION_LAG
    if not _fresh_worker(evidence):
        return Verdict.NO_WORKER
    if evidence.registry_differs:
        return Verdict.WRONG_REGISTRY
    if evidence.rate_limited:
        return Verdict.RATE_LIMITED
    if evidence.engine_knows_run:
        return Verdict.AT_CAPACITY
    return Verdict.UNKNOWN


def _fresh_worker(evidence: Evidence) -> bool:
    """Our own heartbeat is the fast truth (docs/rules.md 11)."""
    seen = evidence.worker_seen_at
    return seen is not None and evidence.at - seen <= WORKER_FRESH_FOR
