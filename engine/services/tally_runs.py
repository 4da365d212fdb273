"""Is every run that was accepted executed, or does it say why not? Counted, in one statement.

Each accepted run has been started (a workflow has claimed it), is not started yet, or ended before
it began, with a reason. What is none of these, and what was not started for a minute, is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, String, cast, func, literal, or_, select, text, union_all
from sqlalchemy.orm import Session

from engine.runs.queued import QUEUED_AFTER
from engine.runs.status import OPEN, TERMINAL, RunStatus
from engine.store.run_counts import counted
from engine.store.runs import HISTORICAL, UNCLAIMED, WorkflowRun

MOST_LISTED: Final = 20
"""Of the runs that are not accounted for."""


@dataclass(frozen=True, slots=True)
class Unaccounted:
    run_id: str
    status: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """Runs since the cut-over, but for `historical`; all of one moment."""

    accepted: int
    started: int
    """A workflow has claimed them: they are executed, or were."""
    not_started: int
    """Accepted, open, and not claimed yet."""
    never_began: Mapping[str, int]
    """By status: canceled before they began, or refused at launch."""
    open: Mapping[str, int]
    """By status, historical ones too."""
    historical: int
    """Runs from before the cut-over."""
    unaccounted: tuple[Unaccounted, ...] = ()

    @property
    def balanced(self) -> bool:
        known = self.started + self.not_started + sum(self.never_began.values())
        return self.accepted == known and not self.unaccounted


def tally_runs(session: Session, now: datetime) -> Tally:
    """By the counts that are kept and by indexes, however many runs there are."""
    found: dict[str, dict[str, int]] = {"all": {}, "unclaimed": {}, "historical": {}}
    for kind, status, runs in session.execute(_COUNTED):
        found[kind][status] = int(runs)
    every, unclaimed = found["all"], found["unclaimed"]
    historical = sum(found["historical"].values())
    accepted = sum(every.values()) - historical
    return Tally(
        accepted=accepted,
        started=accepted - sum(unclaimed.values()),
        not_started=sum(unclaimed.get(status, 0) for status in OPEN),
        never_began={
            status: unclaimed[status] for status in _MAY_END_UNBEGUN if unclaimed.get(status)
        },
        open={status.value: every.get(status, 0) for status in RunStatus if status in OPEN},
        historical=historical,
        unaccounted=_unaccounted(session, now),
    )


def _unaccounted(session: Session, now: datetime) -> tuple[Unaccounted, ...]:
    overdue = WorkflowRun.status.in_(OPEN) & (WorkflowRun.started_at < now - QUEUED_AFTER)
    rows = session.execute(
        select(WorkflowRun.run_id, WorkflowRun.status, WorkflowRun.started_at)
        .where(text(UNCLAIMED), or_(overdue, WorkflowRun.status.in_(_NEVER_UNBEGUN)))
        .order_by(WorkflowRun.started_at)
        .limit(MOST_LISTED)
    )
    return tuple(Unaccounted(*row) for row in rows)


def _by_status(kind: str, rule: str) -> Select[str, str, int]:
    # Literal rules: SQLite uses a partial index for no other.
    return (
        select(
            literal(kind, String).label("kind"),
            cast(WorkflowRun.status, String).label("status"),
            func.count().label("runs"),
        )
        .where(text(rule))
        .group_by(WorkflowRun.status)
    )


def _all() -> Select[str, str, int]:
    every = counted().subquery()
    return select(literal("all", String).label("kind"), every.c.status, every.c.runs)


_MAY_END_UNBEGUN: Final = (RunStatus.CANCELED, RunStatus.FAILED)
_NEVER_UNBEGUN: Final = tuple(TERMINAL - set(_MAY_END_UNBEGUN))
_COUNTED: Final = union_all(
    _all(),
    _by_status("unclaimed", UNCLAIMED),
    _by_status("historical", HISTORICAL),
)
