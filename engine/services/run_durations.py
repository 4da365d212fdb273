"""How long a run was queued, how long it waited and how long it ran: three figures, not one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from engine.runs.status import OPEN
from engine.services.inspect_run import OpenedRun
from engine.store.waits import WorkflowRunWait

MOST_WAITS: Final = 2000
"""The newest; a loop may wait more often, and the figure is then left out."""


@dataclass(frozen=True, slots=True)
class Durations:
    queued: timedelta
    """From accepting the run to a worker's claim, or to now."""
    running: timedelta | None
    """None: not known, it waited too often; or it has not begun."""
    waiting: timedelta | None
    """While at least one wait was open, also where another branch went on."""


def durations_of(opened: OpenedRun, now: datetime, *, waited: bool) -> Durations:
    """`waited` False: it is known to have no waits, none are looked for."""
    run = opened.run
    end = now if run.status in OPEN else (run.completed_at or now)
    begun = run.claimed_at
    if begun is None:
        return Durations(max(end - run.started_at, timedelta()), None, None)
    queued = max(begun - run.started_at, timedelta())
    waiting = _waiting(opened, begun, end) if waited else timedelta()
    running = None if waiting is None else max(end - begun - waiting, timedelta())
    return Durations(queued, running, waiting)


def _waiting(opened: OpenedRun, begun: datetime, end: datetime) -> timedelta | None:
    wait = WorkflowRunWait
    rows = opened.session.execute(
        select(wait.created_at, wait.resolved_at)
        .where(wait.run_id == opened.run.run_id)
        .order_by(wait.created_at)
        .limit(MOST_WAITS + 1)
    ).all()
    if len(rows) > MOST_WAITS:
        return None
    return together((max(a, begun), min(b or end, end)) for a, b in rows)


def together(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """How long at least one of them lasted. In the order of their beginnings."""
    total, reached = timedelta(), None
    for start, end in spans:
        start = start if reached is None else max(start, reached)
        if end > start:
            total += end - start
            reached = end
    return total
