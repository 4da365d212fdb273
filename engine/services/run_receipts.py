"""What was asked of a run, and how far each has been seen to come: never more than that.

A cancel and a replay keep their times in the run's own row. A release of a quota pause is told
first and recorded after: its audit row says when it had been delivered, the wait when it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.runs.status import TERMINAL, RunStatus
from engine.services import audit
from engine.services.release_quota import OPERATION as RELEASE
from engine.services.run_views import RunView
from engine.store.audit import AuditLog, AuditOutcome
from engine.store.waits import WorkflowRunWait

NEWEST_RELEASES: Final = 3
_ENDS: Final = {
    RunStatus.SUCCEEDED: "came too late: the run succeeded",
    RunStatus.FAILED: "not canceled: the run failed",
}
"""What is seen of a cancel that did not come to its end."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One point on the way; without a time it has not been seen yet, unless it is `proven`."""

    what: str
    at: datetime | None = None
    by: str | None = None
    proven: bool = False
    """It has happened, and nothing says when."""

    @property
    def seen(self) -> bool:
        return self.at is not None or self.proven


@dataclass(frozen=True, slots=True)
class Receipt:
    name: str
    marks: tuple[Mark, ...]

    @property
    def complete(self) -> bool:
        return self.marks[-1].seen


def receipts_of(session: Session, run: RunView) -> tuple[Receipt, ...]:
    """In the order in which things may be asked: replay, release, cancel."""
    found = [*_replay(run), *_releases(session, run), *_cancel(run)]
    return tuple(found)


def _replay(run: RunView) -> list[Receipt]:
    if run.replay_of is None:
        return []
    over = run.status in TERMINAL and run.claimed_at is None
    taken = "ended without a worker" if over else "taken by a worker"
    at = run.completed_at if over else run.claimed_at
    delivered = run.temporal_run_id is not None or run.claimed_at is not None
    marks = [Mark("requested and accepted", run.started_at, run.started_by)]
    if delivered or not over:
        marks.append(Mark("delivered to Temporal", proven=delivered))
    return [Receipt("Replay", (*marks, Mark(f"observed: {taken}", at)))]


def _cancel(run: RunView) -> list[Receipt]:
    asked = run.cancel
    if asked is None:
        return []
    marks = [Mark("requested", asked.requested_at, asked.requested_by)]
    if asked.delivered_at is not None or run.status not in TERMINAL:
        marks.append(Mark("delivered to Temporal", asked.delivered_at))
    marks.append(Mark(f"observed: {_ENDS.get(run.status, 'seen to have ended')}", run.completed_at))
    return [Receipt("Cancel", tuple(marks))]


def _releases(session: Session, run: RunView) -> list[Receipt]:
    rows = session.scalars(
        select(AuditLog)
        .where(
            AuditLog.record_type == audit.RUN,
            AuditLog.record_id == run.run_id,
            AuditLog.operation == RELEASE,
            AuditLog.outcome == AuditOutcome.DONE,
        )
        .order_by(AuditLog.at.desc())
        .limit(NEWEST_RELEASES)
    ).all()
    return [_release(session, row) for row in reversed(rows)]


def _release(session: Session, row: AuditLog) -> Receipt:
    details = row.details_json if isinstance(row.details_json, dict) else {}
    told = [str(wait_id) for wait_id in details.get("waits", [])]
    wait = WorkflowRunWait
    rows = session.execute(
        select(wait.told_at, wait.resolved_at).where(wait.wait_id.in_(told))
    ).all()
    went_on = _newest([row.resolved_at for row in rows])
    return Receipt(
        "Release of the quota pause",
        (
            Mark("requested", row.at, row.operator_email),
            Mark("delivered to Temporal", _newest([row.told_at for row in rows]) or went_on),
            Mark("observed: seen to have gone on", went_on),
        ),
    )


def _newest(times: Sequence[datetime | None]) -> datetime | None:
    """None while one is missing."""
    known = [at for at in times if at is not None]
    return max(known) if known and len(known) == len(times) else None
