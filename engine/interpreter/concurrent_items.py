"""Items of a loop that run at once, each a branch of its own with a copy of the scopes.

Nothing here depends on anything but the order in which the host lets branches go on: items begin
in order, and endings are taken in the order in which they came. (`asyncio.wait` gives sets, whose
order a replayed history would not repeat.)
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from engine.errors import StepFailed
from engine.interpreter.failure import Failure, located
from engine.interpreter.loop_items import ItemErrors, begin_item
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch

RETURNED: Final = object()
"""An item executed control.return."""

Ending = object
"""How an item ended: None (done), RETURNED, its Failure, or another exception."""


async def run_concurrently(branch: Branch, opened: OpenStep) -> bool:
    """True: an item executed control.return. Raises Failure of the lowest index that failed."""
    opened.state.setdefault("failed", [])
    branch.execution.executing -= 1
    try:
        with branch.inside(opened):
            return await _Items(branch, opened).run()
    finally:
        branch.execution.executing += 1


class _Items:
    def __init__(self, branch: Branch, opened: OpenStep) -> None:
        self._branch = branch
        self._opened = opened
        self._items = opened.state["items"]
        self._limit = opened.config["concurrency"]
        self._errors = ItemErrors(branch, opened)
        self._live: dict[int, asyncio.Task[Ending]] = {}
        self._ended: list[tuple[int, Ending]] = []
        self._wake = asyncio.Event()
        self._stop: Ending = None
        """Why no more items begin: RETURNED or an exception."""
        self._failures: dict[int, Failure] = {}

    async def run(self) -> bool:
        ended = 0
        while True:
            self._begin_items()
            self._count_ended(ended)
            if not self._live:
                return self._outcome()
            for index, ending in (endings := await self._next_endings()):
                del self._live[index]
                self._take(index, ending)
            ended = len(endings)

    def _begin_items(self) -> None:
        """As many as may run at once. Where a checkpoint is wanted, those that run end first."""
        state = self._opened.state
        while self._stop is None and state["next"] < len(self._items):
            if len(self._live) >= self._limit:
                return
            if self._branch.wants_checkpoint():
                if not self._live:
                    self._branch.take_checkpoint()
                return
            self._begin(state["next"])
            state["next"] += 1

    def _begin(self, index: int) -> None:
        inner = self._branch.fork()
        inner.iter = (*self._branch.iter, index)
        inner.handler = self._errors.handler
        self._branch.execution.executing += 1
        task = asyncio.create_task(self._item(inner, index))
        self._live[index] = task
        task.add_done_callback(partial(self._note_ending, index))

    async def _item(self, inner: Branch, index: int) -> Ending:
        loop = self._opened
        body = OpenStep(loop.step, loop.place, loop.started_at, block=loop.block)
        try:
            begin_item(inner.scope, inner.scope.local, loop, index)
            return RETURNED if await inner.run_block(body) else None
        except StepFailed as failed:
            return Failure(located(failed, loop.place, inner.execution.host.now()))
        except Failure as failure:
            return failure
        finally:
            inner.scope.release()

    def _note_ending(self, index: int, task: asyncio.Task[Ending]) -> None:
        if task.cancelled():
            ending: Ending = asyncio.CancelledError()
        else:
            ending = task.exception() or task.result()
        self._ended.append((index, ending))
        self._wake.set()

    async def _next_endings(self) -> list[tuple[int, Ending]]:
        while not self._ended:
            self._wake.clear()
            try:
                await self._wake.wait()
            except asyncio.CancelledError as cancelled:
                self._halt(cancelled)
        endings, self._ended = self._ended, []
        return endings

    def _take(self, index: int, ending: Ending) -> None:
        if ending is None or (self._stop and isinstance(ending, asyncio.CancelledError)):
            return
        if isinstance(ending, Failure):
            if self._errors.goes_on and ending.catchable:
                self._branch.scope.set_error(ending.data)
                self._opened.state["failed"].append([index, ending.data])
                return
            self._failures[index] = ending
        self._halt(ending)

    def _halt(self, why: Ending) -> None:
        """No more items, and those that run are cancelled; the loop ends when all have ended."""
        if self._stop is None:
            self._stop = why
            for task in self._live.values():
                task.cancel()
        elif isinstance(why, asyncio.CancelledError):
            self._stop = why

    def _count_ended(self, ended: int) -> None:
        """After their successors have begun, so that a change-over never looks like waiting."""
        execution = self._branch.execution
        execution.executing -= ended
        if ended and self._live:
            execution.host.note_branch_ended(all_wait=execution.executing == 0)

    def _outcome(self) -> bool:
        if isinstance(self._stop, Failure):
            raise self._failures[min(self._failures)]
        if isinstance(self._stop, BaseException):
            raise self._stop
        failed = sorted(self._opened.state["failed"])
        if failed:
            self._errors.add([(index, error) for index, error in failed])
        return self._stop is RETURNED
