"""Named leases: one worker at a time does what the name says (docs/rules.md 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, CursorResult, Table, or_, select, update
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.services.context import Services
from engine.store.upsert import insert_into
from engine.store.workers import Lease

RECONCILER: Final = "reconciler"
WAITS: Final = "waits"
SCHEDULES: Final = "schedules"

_LEASES: Final = cast(Table, Lease.__table__)


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that this owner holds; `last_pass` is what its last holder left behind."""

    name: str
    owner: str
    last_pass: dict[str, Json]


def is_free(owner: Any, expires_at: Any, now: datetime, held_for: timedelta) -> ColumnElement[bool]:
    """Of columns: nobody holds it, or not any more. An end that lies further ahead than anybody
    would set it came from a wrong clock."""
    return or_(owner.is_(None), expires_at < now, expires_at > now + 2 * held_for)


def take(
    services: Services, name: str, owner: str, *, held_for: timedelta, every: timedelta
) -> Held | None:
    """Take the lease. None: another owner holds it, or the last pass began less than `every` ago.

    A holder that dies keeps it for `held_for` at most. A pass that began further ahead than any
    could came from a wrong clock, and holds nobody up.
    """
    now = services.now()
    free = is_free(Lease.owner, Lease.expires_at, now, held_for)
    due = or_(
        Lease.last_pass_at.is_(None),
        Lease.last_pass_at <= now - every,
        Lease.last_pass_at > now + 2 * every,
    )
    with services.store.writing() as session:
        _make_sure_of(session, name)
        taken = session.execute(
            update(Lease)
            .where(Lease.name == name, free, due)
            .values(owner=owner, expires_at=now + held_for, last_pass_at=now)
        )
        if not cast("CursorResult[Any]", taken).rowcount:
            return None
        last = session.scalar(select(Lease.last_pass_json).where(Lease.name == name))
    return Held(name, owner, last if isinstance(last, dict) else {})


def renew(services: Services, held: Held, *, held_for: timedelta) -> bool:
    """Hold it for longer. False: it ran out meanwhile, and another owner has it."""
    with services.store.writing() as session:
        renewed = session.execute(
            update(Lease)
            .where(Lease.name == held.name, Lease.owner == held.owner)
            .values(expires_at=services.now() + held_for)
        )
        return bool(cast("CursorResult[Any]", renewed).rowcount)


def give_back(services: Services, held: Held, last_pass: dict[str, Json]) -> None:
    """Write down what the pass saw, and let go."""
    with services.store.writing() as session:
        session.execute(
            update(Lease)
            .where(Lease.name == held.name, Lease.owner == held.owner)
            .values(owner=None, expires_at=None, last_pass_json=last_pass)
        )


def _make_sure_of(session: Session, name: str) -> None:
    session.execute(insert_into(session, _LEASES).values(name=name).on_conflict_do_nothing())
