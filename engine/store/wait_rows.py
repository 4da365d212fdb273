"""Statements that keep the rows of waits true to their workflow (docs/rules.md 4 and 7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import case, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.runs.status import WaitStatus
from engine.store.projection import WAITS


def open_wait(session: Session, row: dict[str, Any]) -> None:
    """Write a wait's row; of one that is there already, until when it is waited.

    A workflow task that is repeated opens its wait again, and later.
    """
    make: Any = (
        postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    )
    statement = make(WAITS)
    new, is_open = statement.excluded, WAITS.c.status == WaitStatus.WAITING
    again = {
        "timeout_at": new.timeout_at,
        "payload": case((is_open, new.payload), else_=WAITS.c.payload),
        "updated_at": new.updated_at,
    }
    session.execute(
        statement.on_conflict_do_update(index_elements=[WAITS.c.wait_id], set_=again), [row]
    )


def close_wait(
    session: Session, wait_id: str, outcome: str, payload: dict[str, Any], at: datetime
) -> None:
    """Close an open wait, with what came of it merged into what is known of it.

    One that a lost workflow task has closed in the same way ended when the repeated task says.
    """
    closable = WAITS.c.status.in_((WaitStatus.WAITING, outcome))
    known = session.execute(
        select(WAITS.c.payload).where(WAITS.c.wait_id == wait_id, closable)
    ).one_or_none()
    if known is None:
        return
    session.execute(
        update(WAITS)
        .where(WAITS.c.wait_id == wait_id, closable)
        .values(
            status=outcome,
            resolved_at=at,
            updated_at=at,
            payload={**(known.payload or {}), **payload},
        )
    )


def cancel_open_waits(session: Session, run_id: str, now: datetime) -> bool:
    """False: none was open."""
    closed = session.execute(
        update(WAITS)
        .where(WAITS.c.run_id == run_id, WAITS.c.status == WaitStatus.WAITING)
        .values(status=WaitStatus.CANCELED, resolved_at=now, updated_at=now)
    )
    return bool(cast("CursorResult[Any]", closed).rowcount)
