"""The worker's threads for activities, and how many are busy: its heartbeat says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class CountedPool(ThreadPoolExecutor):
    def __init__(self, slots: int) -> None:
        super().__init__(max_workers=slots, thread_name_prefix="activity")
        self.slots = slots
        self._count = threading.Lock()
        self._busy = 0

    @property
    def busy(self) -> int:
        """Activities that run or wait for a thread."""
        return self._busy

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with self._count:
            self._busy += 1
        try:
            future = super().submit(fn, *args, **kwargs)
        except BaseException:
            self._done(None)
            raise
        future.add_done_callback(self._done)
        return future

    def _done(self, _future: Future[Any] | None) -> None:
        with self._count:
            self._busy -= 1
