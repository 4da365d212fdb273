"""Statements that keep the rows of waits true to their workflow (docs/rules.md 4 and 7).

What a workflow task that was lost has said of a wait, its repetition says anew, and otherwise if it
came to something else: the later task has the say. Later is also what started later: a run that
is reset in Temporal begins anew with a shorter history, and waits again for what had come.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import case, func, null, or_, select, tuple_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.contract import Guard
from engine.runs.status import WaitStatus
from engine.store.projection import WAITS, written_by, written_order
from engine.store.upsert import insert_into


def open_wait(session: Session, row: dict[str, Any]) -> bool:
    """Write a wait's row. One that is there is opened again by a later task, not by the same.

    False: it has ended, or a later task has written it.
    """
    statement = insert_into(session, WAITS)
    new, old = statement.excluded, WAITS.c
    order, last_order = (tuple_(*written_order(each)) for each in (new, old))
    started_later = func.coalesce(new.written_task, 0) > func.coalesce(old.written_task, 0)
    is_open = or_(old.status == WaitStatus.WAITING, order > last_order, started_later)
    again = {
        name: new[name] for name in ("timeout_at", "updated_at", *written_by(Guard(0, 0, 0, 0)))
    } | {
        "status": case((is_open, new.status), else_=old.status),
        "payload": case((is_open, new.payload), else_=old.payload),
        "resolved_at": case((is_open, null()), else_=old.resolved_at),
    }
    status = session.scalar(
        statement.values(row)
        .on_conflict_do_update(
            index_elements=[old.wait_id],
            set_=again,
            where=or_(order >= last_order, started_later),
        )
        .returning(old.status)
    )
    return bool(status == WaitStatus.WAITING)


def close_wait(
    session: Session,
    wait_id: str,
    outcome: str,
    payload: dict[str, Any],
    at: datetime,
    guard: Guard,
) -> bool:
    """Close a wait, with what came of it merged into what is known of it. False: a later task has
    written it."""
    ours = (
        WAITS.c.wait_id == wait_id,
        or_(
            tuple_(*written_order(WAITS.c)) <= tuple_(*guard.order),
            func.coalesce(WAITS.c.written_task, 0) < guard.task,
        ),
    )
    known = session.execute(select(WAITS.c.payload).where(*ours)).one_or_none()
    if known is None:
        return False
    session.execute(
        update(WAITS)
        .where(*ours)
        .values(
            status=outcome,
            resolved_at=at,
            updated_at=at,
            payload={**(known.payload or {}), **payload},
            **written_by(guard),
        )
    )
    return True


def cancel_open_waits(session: Session, run_id: str, now: datetime) -> bool:
    """False: none was open."""
    closed = session.execute(
        update(WAITS)
        .where(WAITS.c.run_id == run_id, WAITS.c.status == WaitStatus.WAITING)
        .values(status=WaitStatus.CANCELED, resolved_at=now, updated_at=now)
    )
    return bool(cast("CursorResult[Any]", closed).rowcount)
