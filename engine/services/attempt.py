"""Run an action under supervision: in a thread of its own, with a deadline, and stoppable.

Python cannot end a thread that hangs in a socket. So the action gets a thread, and the caller's
thread watches: it beats, notices a cancel, and gives the action up when its time is over. What was
given up may still do its work; nobody listens any more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from enum import StrEnum
from queue import SimpleQueue
from typing import Any, Final, Generic, Protocol, TypeVar

from engine.errors import Category, StepFailed

T = TypeVar("T")

LOOK_EVERY_S: Final = 0.2
BEAT_EVERY_S: Final = 1.0
"""A cancel comes with the answer to a beat; it must be observed within 3 s (docs/rules.md 3)."""

GRACE_S: Final = 2.0
"""How long a cancelled action that may be repeated is waited for."""

LONG_GRACE_S: Final = 25.0
"""Another's outcome is worth waiting for; *Stop now* is offered after 30 s (docs/rules.md 5)."""


class Stop(StrEnum):
    """Why an attempt should end before the action does."""

    REQUESTED = "requested"
    """The run is being cancelled."""
    LEAVING = "leaving"
    """This worker is being shut down, and its time for that is up."""
    GONE = "gone"
    """Temporal has given this attempt up: another one may be running."""


class Pulse(Protocol):
    """The attempt's connection to whoever asked for it."""

    def beat(self) -> None:
        """Say that the attempt is alive."""

    def stop(self) -> Stop | None:
        """Is the attempt to end?"""

    def tried_before(self) -> bool:
        """Is it the repetition of one that gave no answer?"""


class Stopped(Exception):
    """The action was given up; what it did or will do is not known."""

    def __init__(self, why: Stop) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(slots=True)
class Watch:
    """How an attempt is watched. `on_beat` may raise, which gives the action up."""

    pulse: Pulse
    timeout_ms: int
    may_repeat: bool
    on_beat: Callable[[], None] = lambda: None
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set for the action when it should stop: `ActionContext.cancelled`."""


class _Work(Generic[T]):
    """What an action's thread does, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._context = copy_context()
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self._result.append(self._context.run(self._work))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            self._error = error
        finally:
            self.done.set()

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


class _Threads:
    """Threads for actions: one that is free is used again, one that hangs is never waited for.

    (A ThreadPoolExecutor joins its threads when the process ends.)
    """

    def __init__(self) -> None:
        self._free: deque[SimpleQueue[_Work[Any]]] = deque()

    def start(self, work: _Work[Any]) -> None:
        try:
            inbox = self._free.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._serve, args=(inbox,), name="action", daemon=True).start()
        inbox.put(work)

    def _serve(self, inbox: SimpleQueue[_Work[Any]]) -> None:
        while True:
            inbox.get().run()
            self._free.append(inbox)


_threads: Final = _Threads()


def run_watched(work: Callable[[], T], watch: Watch) -> T:
    """`work()`'s result or exception.

    Raises StepFailed(TimeoutError) when its time is over, `Stopped` when it was given up for
    another reason, and what `on_beat` raises.
    """
    began = time.monotonic()
    running = _Work(work)
    _threads.start(running)
    try:
        return _watched(running, watch, began)
    except BaseException:
        watch.cancelled.set()
        raise


def _watched(running: _Work[T], watch: Watch, began: float) -> T:
    deadline = began + watch.timeout_ms / 1000
    next_beat = began + BEAT_EVERY_S
    give_up_at: float | None = None
    why: Stop | None = None
    while not running.done.wait(min(LOOK_EVERY_S, max(0.0, deadline - time.monotonic()))):
        now = time.monotonic()
        if now >= deadline:
            raise timed_out(watch.timeout_ms)
        if now >= next_beat:
            next_beat = now + BEAT_EVERY_S
            watch.pulse.beat()
            watch.on_beat()
        if why is None and (why := watch.pulse.stop()) is not None:
            give_up_at = _give_up_at(why, watch, now)
        if why is not None and give_up_at is not None and now >= give_up_at:
            raise Stopped(why)
    return running.outcome()


def _give_up_at(why: Stop, watch: Watch, now: float) -> float | None:
    """None: go on to the end. Only a cancel is told to the action: a worker that leaves waits."""
    if why is Stop.REQUESTED:
        watch.cancelled.set()
        return now + (GRACE_S if watch.may_repeat else LONG_GRACE_S)
    return now if watch.may_repeat else None


def timed_out(timeout_ms: int) -> StepFailed:
    return StepFailed(
        Category.TIMEOUT,
        f"The action did not end within {timeout_ms} ms.",
        details={"timeoutMs": timeout_ms},
    )
