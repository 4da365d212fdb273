"""How a bulk operation stands: its receipts are what the runs' own rows say, and no more.

An item was *requested* when a worker began it. That Temporal has it, and that the run came to its
end (or that a replay was taken up), is read from the run each time: nothing is claimed that was not
seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from engine.runs.status import TERMINAL, RunStatus
from engine.services.draft_bulk import bulk_of
from engine.services.heartbeat import a_worker_lives
from engine.services.state_tag import state_tag
from engine.store.bulk import BulkItem, BulkKind, BulkOperation, BulkStatus, ItemState
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun

PAGE_SIZE: Final = 100
LISTED: Final = 50
_New = aliased(WorkflowRun)


@dataclass(frozen=True, slots=True)
class ItemView:
    run_id: str
    workflow_name: str | None
    status: RunStatus | None
    """Of the run that it was about; None: no longer kept."""
    state: ItemState
    code: str | None
    message: str | None
    requested_at: datetime | None
    delivered_at: datetime | None
    """Cancel: when Temporal took the request. Replay: when the new run was accepted."""
    observed_at: datetime | None
    """Cancel: when the run had ended. Replay: when a worker had taken the new run."""
    new_run_id: str | None
    new_status: RunStatus | None


@dataclass(frozen=True, slots=True)
class BulkView:
    bulk_id: str
    kind: BulkKind
    status: BulkStatus
    query: str | None
    left_out: bool
    reason: str | None
    operator_id: str | None
    operator_email: str | None
    held_because: str | None
    held_until: datetime | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    counts: Mapping[ItemState, int]
    observed: int
    """Of those that were done: how many have come to the end that was asked for, or to another."""
    worker_lives: bool
    tag: str
    """Changes whenever something that is shown has changed."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        return self.counts[ItemState.PENDING] + self.counts[ItemState.REQUESTED]

    @property
    def awaited(self) -> int:
        """Done, and nothing has been seen of it yet."""
        return self.counts[ItemState.DONE] - self.observed

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.status is BulkStatus.DONE and self.awaited == 0


def follow_bulk(session: Session, bulk_id: str, now: datetime) -> BulkView:
    """Two statements, by indexes. Raises `NotFound`."""
    return _views(session, [bulk_of(session, bulk_id)], now)[0]


def newest_bulks(session: Session, now: datetime) -> tuple[BulkView, ...]:
    """The operations that were started last."""
    bulks = session.scalars(
        select(BulkOperation)
        .where(BulkOperation.status != BulkStatus.DRAFT)
        .order_by(BulkOperation.created_at.desc(), BulkOperation.bulk_id)
        .limit(LISTED)
    ).all()
    return _views(session, bulks, now)


def _views(session: Session, bulks: Sequence[BulkOperation], now: datetime) -> tuple[BulkView, ...]:
    """One statement for all of them, and one for the workers."""
    rows: dict[str, list[Any]] = defaultdict(list)
    columns = (BulkItem.bulk_id, BulkItem.state)
    for row in session.execute(_joined(*columns, *_SEEN, of=bulks).group_by(*columns)):
        rows[row.bulk_id].append(row)
    lives = a_worker_lives(session, now)
    return tuple(_view(bulk, rows[bulk.bulk_id], lives=lives) for bulk in bulks)


def _view(bulk: BulkOperation, rows: Sequence[Any], *, lives: bool) -> BulkView:
    counts = dict.fromkeys(ItemState, 0)
    observed = 0
    for row in rows:
        counts[ItemState(row.state)] = row.items
        if row.state == ItemState.DONE:
            observed = int(
                row.observed_cancel if bulk.kind == BulkKind.CANCEL else row.observed_replay
            )
    marks = (bulk.status, bulk.updated_at, lives, *map(tuple, rows))
    return BulkView(
        bulk_id=bulk.bulk_id,
        kind=BulkKind(bulk.kind),
        status=BulkStatus(bulk.status),
        query=bulk.query,
        left_out=bulk.left_out,
        reason=bulk.reason,
        operator_id=bulk.operator_id,
        operator_email=bulk.operator_email,
        held_because=bulk.held_because,
        held_until=bulk.held_until,
        created_at=bulk.created_at,
        started_at=bulk.started_at,
        completed_at=bulk.completed_at,
        counts=counts,
        observed=observed,
        worker_lives=lives,
        tag=state_tag(marks),
    )


def receipts(session: Session, bulk: BulkView, page: int = 0) -> tuple[ItemView, ...]:
    """One page of its items, in their order."""
    item, run, new = BulkItem, WorkflowRun, _New
    query = (
        _joined(
            item,
            run.status.label("run_status"),
            run.completed_at,
            run.cancel_delivered_at,
            new.status.label("new_status"),
            new.started_at.label("accepted_at"),
            new.claimed_at,
            WorkflowDefinition.name,
            of=[bulk],
        )
        .outerjoin(WorkflowDefinition, WorkflowDefinition.workflow_id == run.workflow_id)
        .order_by(item.position)
        .limit(PAGE_SIZE)
        .offset(page * PAGE_SIZE)
    )
    return tuple(_receipt(row, bulk.kind) for row in session.execute(query))


def _joined(*columns: Any, of: Sequence[BulkOperation | BulkView]) -> Any:
    item = BulkItem
    return (
        select(*columns)
        .select_from(item)
        .outerjoin(WorkflowRun, WorkflowRun.run_id == item.run_id)
        .outerjoin(_New, _New.run_id == item.new_run_id)
        .where(item.bulk_id.in_([bulk.bulk_id for bulk in of]))
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


_SEEN: Final = (
    func.count().label("items"),
    _count(or_(WorkflowRun.run_id.is_(None), WorkflowRun.status.in_(TERMINAL))).label(
        "observed_cancel"
    ),
    _count(
        or_(_New.run_id.is_(None), _New.claimed_at.is_not(None), _New.status.in_(TERMINAL))
    ).label("observed_replay"),
    func.max(WorkflowRun.updated_at).label("run_updated_at"),
    func.max(WorkflowRun.cancel_delivered_at).label("delivered_at"),
    func.max(_New.updated_at).label("new_updated_at"),
)


def _receipt(row: Any, kind: BulkKind) -> ItemView:
    item = row.BulkItem
    done = item.state == ItemState.DONE
    if kind is BulkKind.CANCEL:
        delivered = row.cancel_delivered_at if done else None
        observed = row.completed_at if done and row.run_status in TERMINAL else None
    else:
        delivered, observed = row.accepted_at, row.claimed_at
    return ItemView(
        run_id=item.run_id,
        workflow_name=row.name,
        status=None if row.run_status is None else RunStatus(row.run_status),
        state=ItemState(item.state),
        code=item.code,
        message=item.message,
        requested_at=item.requested_at,
        delivered_at=delivered,
        observed_at=observed,
        new_run_id=item.new_run_id,
        new_status=None if row.new_status is None else RunStatus(row.new_status),
    )
