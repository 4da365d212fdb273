"""Which workers live: each writes a row every few seconds (docs/rules.md 11).

The fast truth: Temporal lists a killed worker for 300 s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from engine.contract import TASK_QUEUE, Json
from engine.runs.queued import WORKER_FRESH_FOR
from engine.services.context import Services
from engine.store.upsert import insert_into
from engine.store.workers import WorkerHeartbeat, WorkerState
from engine.version import VERSION

EVERY_S: Final = 5.0
_KEPT_FOR: Final = timedelta(days=1)
"""So that "no worker" can say when the last one was seen."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker says of itself; the same for as long as it lives."""

    identity: str
    """`<pid>@<host>-<random>`, as Temporal lists it too."""
    namespace: str
    registry_fingerprint: str
    slots: int
    started_at: datetime
    registry: Json = None
    release: str = VERSION


class HeartbeatWriter:
    """Writes one worker's row, with the state that it was told last and why it is not ready."""

    def __init__(
        self,
        services: Services,
        worker: Worker,
        slots_used: Callable[[], int],
        unready_because: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._services = services
        self._worker = worker
        self._slots_used = slots_used
        self._unready_because = unready_because
        self._state = WorkerState.RUNNING
        self._said: str | None = None

    def beat(self) -> None:
        because = self._unready_because()
        beat(self._services, self._worker, self._state, self._slots_used(), because)
        self._said = because

    @property
    def is_outdated(self) -> bool:
        """Is it ready now and was not at the last beat, or the other way round?"""
        return self._unready_because() != self._said

    def enter(self, state: WorkerState) -> None:
        self._state = state
        self.beat()


def beat(
    services: Services,
    worker: Worker,
    state: WorkerState,
    slots_used: int,
    unready_because: str | None = None,
) -> None:
    """Write the worker's row as of now; two threads of it may do so at once."""
    row: dict[str, Any] = {
        "identity": worker.identity,
        "state": state,
        "task_queue": TASK_QUEUE,
        "namespace": worker.namespace,
        "registry_fingerprint": worker.registry_fingerprint,
        "registry_json": worker.registry,
        "slots": worker.slots,
        "slots_used": slots_used,
        "release": worker.release,
        "unready_because": unready_because,
        "started_at": worker.started_at,
        "seen_at": services.now(),
    }
    with services.store.writing() as session:
        statement = insert_into(session, WorkerHeartbeat).on_conflict_do_update(
            index_elements=[WorkerHeartbeat.identity], set_=row
        )
        session.execute(statement, row)


def forget_old(session: Session, now: datetime) -> None:
    """Delete the rows of workers that were last seen a day ago."""
    session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < now - _KEPT_FOR))


def a_worker_lives(session: Session, now: datetime) -> bool:
    """One that is stopping does not count: it takes nothing new."""
    return bool(session.scalar(select(exists().where(*_fresh(now)))))


def living_workers(session: Session, now: datetime) -> Sequence[WorkerHeartbeat]:
    """Newest first."""
    return session.scalars(
        select(WorkerHeartbeat).where(*_fresh(now)).order_by(WorkerHeartbeat.seen_at.desc())
    ).all()


def last_seen(session: Session) -> WorkerHeartbeat | None:
    """The worker that was seen last, living or not."""
    return session.scalars(
        select(WorkerHeartbeat).order_by(WorkerHeartbeat.seen_at.desc()).limit(1)
    ).one_or_none()


def _fresh(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        WorkerHeartbeat.state == WorkerState.RUNNING,
        WorkerHeartbeat.seen_at >= now - WORKER_FRESH_FOR,
    )
