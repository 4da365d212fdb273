"""Something that a process does every few seconds, on a thread of its own, until it is told to end.

A failure is logged and does not end it: the next beat may succeed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import OperationalError

from engine.errors import Unavailable
from engine.services.check_schema import words_of

log = structlog.get_logger(__name__)


class Repeating:
    def __init__(self, name: str, every_s: float, work: Callable[[], object]) -> None:
        self._name = name
        self._every_s = every_s
        self._work = work
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._failing = False

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """End after the work that is being done, without waiting for it."""
        self._leave.set()

    def stop(self, timeout_s: float) -> bool:
        """End after the work that is being done. False: it was not done in time."""
        self.leave()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            self._once()
            if self._leave.wait(self._every_s):
                return

    def _once(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001
            self._tell(error)
            self._failing = True
        else:
            if self._failing:
                log.info("background.recovered", task=self._name)
            self._failing = False

    def _tell(self, error: Exception) -> None:
        """In a line where it is the database or Temporal that is away; in full where it is not."""
        if self._failing:
            log.warning("background.still_failing", task=self._name)
        elif isinstance(error, OperationalError):
            log.warning("background.failed", task=self._name, reason=words_of(error))
        elif isinstance(error, Unavailable):
            log.warning("background.failed", task=self._name, reason=error.message)
        else:
            log.error("background.failed", task=self._name, exc_info=error)
