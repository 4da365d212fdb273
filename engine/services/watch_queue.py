"""Who would execute a run: the queue as Temporal sees it, and what the workers say of themselves.

Temporal lists a killed worker for 300 s, and a worker may report here and poll elsewhere: only both
together say whether somebody is there (docs/rules.md 11). Temporal is asked once in two seconds,
however many look.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.errors import Unavailable
from engine.gateway.executions import QueueView
from engine.runs.queued import Queue, Workers
from engine.services.ask_aside import PATIENCE_S, AskAside
from engine.services.context import Services
from engine.services.handshake import known_here
from engine.services.heartbeat import last_seen, living_workers

_JUST_CAME: Final = timedelta(seconds=10)
_THE_QUEUE: Final = "queue"


@dataclass(frozen=True, slots=True)
class QueueSeen:
    at: datetime
    """When Temporal was asked."""
    answers: bool
    answered_at: datetime | None
    """The last time that it did, as far as this process knows."""
    queue: Queue | None
    """None: Temporal was not asked, or gave no answer."""


class QueueWatch:
    """One a process."""

    def __init__(self) -> None:
        self._asked: AskAside[QueueView | None] = AskAside()
        self._lock = threading.Lock()
        self._answered_at: datetime | None = None

    def look(self, services: Services, patience_s: float = PATIENCE_S) -> QueueSeen:
        """Not to be called inside a transaction."""
        answer = self._asked.ask(_THE_QUEUE, services.now(), lambda: _ask(services), patience_s)
        with self._lock:
            if answer.there:
                self._answered_at = max(answer.at, self._answered_at or answer.at)
            answered_at = self._answered_at
        queue = _queue(answer.value) if answer.value else None
        return QueueSeen(answer.at, answer.there, answered_at, queue)


def _ask(services: Services) -> QueueView | None:
    """Raises `Unavailable`."""
    if services.queues is not None:
        return services.queues.describe_queue()
    if not services.gateway.reachable():
        raise Unavailable("Temporal does not answer.")
    return None


def _queue(view: QueueView) -> Queue:
    return Queue(
        namespace=view.namespace,
        polled_at=view.last_poll_at,
        backlog=view.backlog,
        backlog_age_s=view.backlog_age_s,
        rate_limited=view.rate_limited,
    )


def workers_now(services: Services) -> Workers:
    """From the rows that the workers write: two look-ups."""
    now = services.now()
    with services.store.reading() as session:
        living = living_workers(session, now)
        newest = last_seen(session)
    mine = known_here(services) if living else None
    known = {worker.registry_fingerprint for worker in living}
    return Workers(
        living=len(living),
        seen_at=newest.seen_at if newest else None,
        slots=sum(worker.slots for worker in living),
        slots_used=sum(worker.slots_used for worker in living),
        registry_differs=mine.fingerprint not in known if mine else None,
        just_came=any(now - worker.started_at < _JUST_CAME for worker in living),
    )
