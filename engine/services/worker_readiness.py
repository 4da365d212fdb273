"""Can this worker take work? Readiness, apart from liveness (docs/operating.md, Health).

A worker that waits for Temporal or for its database lives, and must not be killed for it. Its
heartbeat says why it is not ready, for pages; `worker_file` says it to probes on its own host, for
the database may be what is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from engine.services.context import Services

LOOK_EVERY_S: Final = 3.0

TEMPORAL: Final = "Temporal does not answer"
DATABASE: Final = "the database does not answer"
NOT_POLLING: Final = "it does not poll the task queue"
LEAVING: Final = "it is leaving"

_NO_BEAT_FOR_S: Final = 12.0
"""A heartbeat is due every 5 s, and may wait for a lock."""


class Readiness:
    """Told by the worker's parts, from several threads. At first it is ready for nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._temporal = False
        self._polls: Callable[[], bool] = lambda: False
        self._leaving = False
        self._beaten_at: float | None = None

    def look(self, services: Services) -> None:
        """Ask Temporal. May take as long as its calls may."""
        answers = services.gateway.reachable()
        with self._lock:
            self._temporal = answers

    def polling(self, polls: Callable[[], bool]) -> None:
        """From now on it polls for as long as `polls()`."""
        with self._lock:
            self._polls = polls

    def beaten(self, beat: Callable[[], None]) -> None:
        """Make the heartbeat `beat()`, and remember whether the database took it."""
        at = None
        try:
            beat()
            at = self._clock()
        finally:
            with self._lock:
                self._beaten_at = at

    def leave(self) -> None:
        with self._lock:
            self._leaving = True

    def because(self) -> str | None:
        """Why it is not ready; None: it is."""
        return self._words(*self._elsewhere(), (self._without_database(), DATABASE))

    def because_elsewhere(self) -> str | None:
        """For the heartbeat: whoever can read it has the database."""
        return self._words(*self._elsewhere())

    def _elsewhere(self) -> list[tuple[bool, str]]:
        with self._lock:
            return [
                (self._leaving, LEAVING),
                (not self._temporal, TEMPORAL),
                (not self._leaving and not self._polls(), NOT_POLLING),
            ]

    def _without_database(self) -> bool:
        """Also where the heartbeat hangs."""
        with self._lock:
            at = self._beaten_at
        return at is None or self._clock() - at > _NO_BEAT_FOR_S

    @staticmethod
    def _words(*reasons: tuple[bool, str]) -> str | None:
        return "; ".join(words for holds, words in reasons if holds) or None
