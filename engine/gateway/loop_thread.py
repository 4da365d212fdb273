"""One background event loop a process: the client lives on a loop, its callers do not.

Made on first use, after gunicorn has forked: a Temporal client does not survive a fork, and neither
does a thread. A process that was forked later notices by its id and makes its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar

T = TypeVar("T")

_STOP_WITHIN_S: Final = 5.0


class LoopThread:
    """Runs coroutines for synchronous callers, on a thread of its own."""

    def __init__(self, name: str = "temporal-client") -> None:
        self._name = name
        self._running: _Running | None = None
        self._starting = threading.Lock()
        os.register_at_fork(after_in_child=self._forget)

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """The coroutine's result. Raises TimeoutError after `timeout_s`; the work is cancelled.

        Raises RuntimeError when it is called from the loop's own thread: it would wait for itself.
        """
        running = self._ensure()
        if threading.get_ident() == running.thread.ident:
            coroutine.close()
            raise RuntimeError("a call to Temporal would wait for the thread that it runs on")
        return wait_for(asyncio.run_coroutine_threadsafe(coroutine, running.loop), timeout_s)

    def stop(self, timeout_s: float = _STOP_WITHIN_S) -> bool:
        """Cancel what runs and end the thread. False when it did not end in time."""
        running, self._running = self._running, None
        if running is None or running.pid != os.getpid():
            return True
        return running.stop(timeout_s)

    def _ensure(self) -> _Running:
        running = self._running
        if running is not None and running.is_usable():
            return running
        with self._starting:
            if self._running is None or not self._running.is_usable():
                self._running = _Running(self._name)
            return self._running

    def _forget(self) -> None:
        """In a forked child: the thread is not there, and the lock may have been held."""
        self._running = None
        self._starting = threading.Lock()


class _Running:
    def __init__(self, name: str) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self.thread.start()

    def is_usable(self) -> bool:
        return self.pid == os.getpid() and self.thread.is_alive()

    def stop(self, timeout_s: float) -> bool:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout_s)
        return not self.thread.is_alive()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self._cancel_all()
            self.loop.close()

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def wait_for(future: Future[T], timeout_s: float) -> T:
    """The future's result; on time-out it is cancelled and TimeoutError raised."""
    try:
        return future.result(timeout_s)
    except TimeoutError:
        future.cancel()
        raise
