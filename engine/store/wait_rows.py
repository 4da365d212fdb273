"""Statements that keep the rows of waits true to their workflow (docs/rules.md 4 and 7).

What a workflow task that was lost has said of a wait, its repetition says anew, and otherwise if it
came to something else: the later task has the say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import case, null, or_, select, tuple_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.contract import Guard
from engine.runs.status import WaitStatus
from engine.store.projection import WAITS, written_by, written_order
from engine.store.upsert import insert_into


def open_wait(session: Session, row: dict[str, Any]) -> None:
    """Write a wait's row. One that is there is opened again by a later task, not by the same."""
    statement = insert_into(session, WAITS)
    new, old = statement.excluded, WAITS.c
    order, last_order = (tuple_(*written_order(each)) for each in (new, old))
    is_open = or_(old.status == WaitStatus.WAITING, order > last_order)
    again = {
        name: new[name] for name in ("timeout_at", "updated_at", *written_by(Guard(0, 0, 0, 0)))
    } | {
        "status": case((is_open, new.status), else_=old.status),
        "payload": case((is_open, new.payload), else_=old.payload),
        "resolved_at": case((is_open, null()), else_=old.resolved_at),
    }
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[old.wait_id], set_=again, where=order >= last_order
        ),
        [row],
    )


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
    ours = (WAITS.c.wait_id == wait_id, tuple_(*written_order(WAITS.c)) <= tuple_(*guard.order))
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
