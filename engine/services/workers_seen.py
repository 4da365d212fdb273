"""The workers of the last hour: alive or gone, ready or not, knowing the same actions or others.

A worker that knows other actions than the web fails steps that the web has published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.runs.queued import WORKER_FRESH_FOR
from engine.services.handshake import Known, lacking_and_more
from engine.store.workers import WorkerHeartbeat, WorkerState

SHOWN_FOR: Final = timedelta(hours=1)
MOST_SHOWN: Final = 50
SHOWN_OF_FINGERPRINT: Final = 8


class Presence(StrEnum):
    READY = "ready"
    UNREADY = "not ready"
    """It lives, and takes nothing at the moment."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    GONE = "gone"
    """It has not said that it stops, and is not heard of any more."""


@dataclass(frozen=True, slots=True)
class SeenWorker:
    identity: str
    presence: Presence
    unready_because: str | None
    release: str | None
    """None: a release that does not say."""
    slots: int
    slots_used: int
    started_at: datetime
    seen_at: datetime
    registry: str
    """The beginning of its registry's fingerprint."""
    same_actions: bool | None
    """As this process; None where that cannot be told."""
    lacks: tuple[str, ...]
    """Actions that this process knows and the worker does not."""
    knows_more: tuple[str, ...]

    @property
    def lives(self) -> bool:
        return self.presence in (Presence.READY, Presence.UNREADY)


def workers_seen(session: Session, mine: Known | None, now: datetime) -> tuple[SeenWorker, ...]:
    """Those that live first; then by when they were seen, newest first."""
    rows = session.scalars(
        select(WorkerHeartbeat)
        .where(WorkerHeartbeat.seen_at >= now - SHOWN_FOR)
        .order_by(WorkerHeartbeat.seen_at.desc())
        .limit(MOST_SHOWN)
    )
    seen = [_seen(row, mine, now) for row in rows]
    return tuple(sorted(seen, key=lambda worker: (not worker.lives, -worker.seen_at.timestamp())))


def _seen(row: WorkerHeartbeat, mine: Known | None, now: datetime) -> SeenWorker:
    more, lacks = lacking_and_more(mine.actions if mine else (), row.registry_json)
    return SeenWorker(
        identity=row.identity,
        presence=_presence(row, now),
        unready_because=row.unready_because,
        release=row.release,
        slots=row.slots,
        slots_used=row.slots_used,
        started_at=row.started_at,
        seen_at=row.seen_at,
        registry=row.registry_fingerprint[:SHOWN_OF_FINGERPRINT],
        same_actions=mine.fingerprint == row.registry_fingerprint if mine else None,
        lacks=lacks,
        knows_more=more,
    )


def _presence(row: WorkerHeartbeat, now: datetime) -> Presence:
    if row.state == WorkerState.STOPPED:
        return Presence.STOPPED
    if now - row.seen_at > WORKER_FRESH_FOR:
        return Presence.GONE
    if row.state == WorkerState.STOPPING:
        return Presence.STOPPING
    return Presence.UNREADY if row.unready_because else Presence.READY
