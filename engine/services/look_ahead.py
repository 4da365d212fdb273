"""What would become of a run that was started now: asked before somebody presses Run or Replay.

Nothing is refused for it: a run that nobody can execute yet is accepted and waits. What was found
is believed for a few seconds, whoever looks, and a page never waits long for what is down.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.services.context import Services
from engine.services.heartbeat import last_seen, living_workers

_BELIEVED_FOR: Final = timedelta(seconds=5)
_PATIENCE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ahead:
    engine_answers: bool
    """Temporal said within a second that it and the namespace are there."""
    worker_runs: bool
    worker_seen_at: datetime | None = None
    """The newest sign of life, where none runs; None: none was ever seen."""
    registry_differs: bool = False
    """All living workers know other actions than this process."""

    @property
    def clear(self) -> bool:
        return self.engine_answers and self.worker_runs and not self.registry_differs


class Lookout:
    """One a process; it holds nothing that could not be found again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: bool = True
        self._asked_at: datetime | None = None

    def look(self, services: Services) -> Ahead:
        """Not to be called inside a transaction."""
        now = services.now()
        with services.store.reading() as session:
            living = living_workers(session, now)
            known = {worker.registry_fingerprint for worker in living}
            newest = None if living else last_seen(session)
            seen_at = newest.seen_at if newest else None
        fingerprint = getattr(services.catalogue, "fingerprint", None)
        strange = fingerprint is not None and fingerprint() not in known
        return Ahead(
            engine_answers=self._engine_answers(services, now),
            worker_runs=bool(living),
            worker_seen_at=seen_at,
            registry_differs=bool(living) and strange,
        )

    def _engine_answers(self, services: Services, now: datetime) -> bool:
        with self._lock:
            at = self._asked_at
            if at is not None and timedelta() <= now - at < _BELIEVED_FOR:
                return self._answered
            self._asked_at = now
        said: list[bool] = []
        asking = threading.Thread(
            target=lambda: said.append(services.gateway.reachable()), daemon=True
        )
        asking.start()
        asking.join(_PATIENCE_S)
        self._answered = bool(said and said[0])
        return self._answered
