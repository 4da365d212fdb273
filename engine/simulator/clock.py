"""Virtual time: it moves only when nothing else can happen, and then to the next moment that
somebody sleeps for. Nothing is ever waited for: ten years take no time.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualClock:
    def __init__(self, start: datetime) -> None:
        self.now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    async def sleep_until(self, moment: datetime) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (max(moment, self.now), next(self._order), woken))
        await woken

    def run(self, coroutine: Coroutine[Any, Any, T], when_stuck: Callable[[], T]) -> T:
        """The coroutine's result; `when_stuck`'s where everything in it waits for ever.

        Then, and when it raises, what is left of it is cancelled.
        """
        idle = _Idle()
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(idle)) as runner:
            loop = runner.get_loop()
            stuck: asyncio.Future[None] = loop.create_future()

            def go_on() -> None:
                if not self._wake_next() and not stuck.done():
                    stuck.set_result(None)

            idle.go_on = go_on
            running = loop.create_task(coroutine)
            if runner.run(_first_of(running, stuck)):
                return running.result()
            return when_stuck()

    def _wake_next(self) -> bool:
        """Move to the next moment that somebody still sleeps for. False: nobody does."""
        while self._sleepers:
            moment, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self.now = max(self.now, moment)
                woken.set_result(None)
                return True
        return False


class _Idle(selectors.DefaultSelector):
    """What an event loop asks when nothing is ready: nothing from outside ever will be."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on: Callable[[], object] = lambda: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self.go_on()
        return []


async def _first_of(running: asyncio.Future[Any], stuck: asyncio.Future[None]) -> bool:
    await asyncio.wait({running, stuck}, return_when=asyncio.FIRST_COMPLETED)
    return running.done()
