"""Asking Temporal for what a page shows: remembered for seconds, shared, never waited for long.

Whoever looks first asks, on a thread of its own; the others wait for the same answer. While
Temporal is away it is asked now and then by one thread, and pages say so instead of hanging.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from engine.errors import Unavailable
from engine.store.session import in_transaction

T = TypeVar("T")

PATIENCE_S: Final = 1.5
_PATIENCE_WITH_THE_ABSENT_S: Final = 0.3
"""Where it did not answer before: who looks meanwhile does not wait for it again."""
_BELIEVED_FOR: Final = timedelta(seconds=2)
_STALE_AFTER: Final = timedelta(seconds=15)
"""So old an answer is not shown for want of a newer one."""
_AWAY_FOR: Final = timedelta(seconds=5)
_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """`value` counts only where `there`."""

    there: bool
    at: datetime
    """When it was asked for."""
    value: T | None = None


@dataclass(slots=True)
class _Known(Generic[T]):
    answer: Answer[T] | None = None
    asking: threading.Event | None = None
    asked_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class AskAside(Generic[T]):
    """Answers by what they are about. It holds nothing that could not be found again."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known[T]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(
        self,
        about: str,
        now: datetime,
        question: Callable[[], T],
        patience_s: float = PATIENCE_S,
    ) -> Answer[T]:
        """The answer, at most two seconds old; not `there`: none came within `patience_s`.

        Not to be called inside a transaction: it would be held while Temporal is waited for.
        """
        assert not in_transaction(), "Temporal is asked inside a database transaction"
        known = self._about(about)
        with known.lock:
            if known.answer is not None and _holds(known.answer, now):
                return known.answer
            if known.asking is None:
                known.asking, known.asked_at = threading.Event(), now
                _on_a_thread(lambda: _find(known, now, question))
            came, before = known.asking, known.answer
        if before is not None and not before.there:
            patience_s = min(patience_s, _PATIENCE_WITH_THE_ABSENT_S)
        if came.wait(patience_s) and known.answer is not None:
            return known.answer
        return _late(known, now)

    def _about(self, about: str) -> _Known[T]:
        with self._lock:
            known = self._known.setdefault(about, _Known())
            self._known.move_to_end(about)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return known


def _holds(answer: Answer[T], now: datetime) -> bool:
    return timedelta() <= now - answer.at < (_BELIEVED_FOR if answer.there else _AWAY_FOR)


def _on_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="ask-temporal", daemon=True).start()


def _find(known: _Known[T], now: datetime, question: Callable[[], T]) -> None:
    found: Answer[T] = Answer(False, now)
    try:
        found = Answer(True, now, question())
    except Unavailable:
        pass
    finally:
        with known.lock:
            came, known.asking, known.answer = known.asking, None, found
        if came is not None:
            came.set()


def _late(known: _Known[T], now: datetime) -> Answer[T]:
    """Still asked: the answer before, where it is young; else there is none."""
    before = known.answer
    if before is not None and before.there and now - before.at < _STALE_AFTER:
        return before
    return Answer(False, known.asked_at or now)
