"""What the reconciler has done: its last pass, and the runs that it has mended lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from engine.services import leases
from engine.store.definitions import WorkflowDefinition
from engine.store.logs import LogSource, WorkflowRunLog
from engine.store.runs import WorkflowRun
from engine.store.workers import Lease

OVERDUE_AFTER: Final = timedelta(seconds=60)
MOST_LISTED: Final = 20
RECENT: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LastPass:
    at: datetime
    """When it began."""
    by: str
    """The worker's identity."""
    took_ms: int
    compared: bool
    """It saw both sides; False: Temporal did not answer, and nothing was decided."""
    cause: str | None
    """Why Temporal did not answer."""
    open_rows: int
    open_executions: int
    differences: int
    """Open rows that the listing of executions did not show, or whose cancel Temporal has not
    taken; each was looked into."""
    unknown_executions: int
    """Executions of no run of ours: another installation in the namespace."""
    mended: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    """Differences that could not be settled: the next pass tries again."""

    def overdue(self, now: datetime) -> bool:
        return now - self.at > OVERDUE_AFTER


@dataclass(frozen=True, slots=True)
class Mending:
    run_id: str
    workflow_name: str
    at: datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Mendings:
    ever: int
    recent: int
    """In the last 24 hours."""
    newest: tuple[Mending, ...]


def last_pass(session: Session) -> LastPass | None:
    """None: no worker has ever made one. A pass that is under way is not the last one yet."""
    report: Any = session.scalar(
        select(Lease.last_pass_json).where(Lease.name == leases.RECONCILER)
    )
    if not isinstance(report, dict) or "at" not in report:
        return None
    counts = dict(report.get("mended") or {})
    errors = int(counts.pop("errors", 0))
    return LastPass(
        at=datetime.fromisoformat(report["at"]),
        by=str(report.get("by") or ""),
        took_ms=int(report.get("tookMs") or 0),
        compared="openExecutions" in report and bool(report.get("reachable")),
        cause=report.get("cause"),
        open_rows=int(report.get("openRows") or 0),
        open_executions=int(report.get("openExecutions") or 0),
        differences=int(report.get("differences") or 0),
        unknown_executions=int(report.get("unknownExecutions") or 0),
        mended=counts,
        errors=errors,
    )


def mendings(session: Session, now: datetime) -> Mendings:
    """From the runs' own logs: each thing that was mended has one line there."""
    line = WorkflowRunLog
    mended = line.source == literal_column(f"'{LogSource.RECONCILER}'")  # as its index has it
    since = func.count().filter(line.created_at >= now - RECENT)
    ever, recent = session.execute(select(func.count(), since).where(mended)).one()
    rows = session.execute(
        select(line.run_id, WorkflowDefinition.name, line.created_at, line.level, line.message)
        .join(WorkflowRun, WorkflowRun.run_id == line.run_id)
        .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
        .where(mended)
        .order_by(line.created_at.desc())
        .limit(MOST_LISTED)
    )
    return Mendings(ever, recent, tuple(Mending(*row) for row in rows))
