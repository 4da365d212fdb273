"""A run's steps against time. Time in which nothing is executed is drawn short, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from engine.services.run_views import OccurrenceView, StepView

WIDTH: Final = 1000.0
NARROWEST: Final = 4.0
IDLE_WIDTH: Final = 24.0
_IDLE_PART: Final = 0.08
"""A pause longer than this part of all that is executed is drawn short."""
_SHORTEST_IDLE: Final = timedelta(seconds=1)
_WAITS: Final = ("time.wait", "event.wait", "human.task")


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    status: str
    """Of the attempt, lower case; `backoff` between two attempts; `idle`."""
    says: str


@dataclass(frozen=True, slots=True)
class GanttRow:
    occurrence: OccurrenceView
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Idle:
    x: float
    width: float
    lasted: timedelta


@dataclass(frozen=True, slots=True)
class Gantt:
    begins: datetime
    ends: datetime
    rows: tuple[GanttRow, ...]
    idle: tuple[Idle, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    begins: datetime
    ends: datetime
    x: float
    width: float
    idle: bool


def gantt(
    occurrences: Sequence[OccurrenceView], now: datetime, *, goes_on: bool = False
) -> Gantt | None:
    """None where there is nothing to draw. `goes_on`: drawn up to now, also where nothing runs."""
    attempts = [attempt for found in occurrences for attempt in found.attempts]
    if not attempts:
        return None
    begins = min(attempt.started_at for attempt in attempts)
    ends = max(_end(attempt, now) for attempt in attempts)
    if goes_on:
        ends = max(ends, now)
    parts = _parts(begins, max(ends, begins + timedelta(milliseconds=1)), attempts, now)
    return Gantt(
        begins,
        ends,
        tuple(GanttRow(found, _bars(found, parts, now)) for found in occurrences),
        tuple(Idle(p.x, p.width, p.ends - p.begins) for p in parts if p.idle),
    )


def _end(attempt: StepView, now: datetime) -> datetime:
    return max(attempt.completed_at or now, attempt.started_at)


def _parts(
    begins: datetime, ends: datetime, attempts: Iterable[StepView], now: datetime
) -> list[_Part]:
    """The time axis, cut where it is drawn at another scale."""
    busy = [(begins, begins), *_busy(attempts, now), (ends, ends)]
    executed = sum((end - start for start, end in busy), timedelta())
    least = max(executed * _IDLE_PART, _SHORTEST_IDLE)
    gaps = [
        (end, start) for (_, end), (start, _) in pairwise(busy) if executed and start - end > least
    ]
    drawn = (ends - begins) - sum((b - a for a, b in gaps), timedelta())
    room = WIDTH - IDLE_WIDTH * len(gaps)
    parts: list[_Part] = []
    at, x = begins, 0.0
    for start, end in [*gaps, (ends, ends)]:
        width = room * ((start - at) / drawn) if drawn else 0.0
        parts.append(_Part(at, start, x, width, idle=False))
        x += width
        if end > start:
            parts.append(_Part(start, end, x, IDLE_WIDTH, idle=True))
            x += IDLE_WIDTH
        at = end
    return parts


def _busy(attempts: Iterable[StepView], now: datetime) -> list[tuple[datetime, datetime]]:
    """Spans in which something is executed: neither waits nor the blocks around steps count."""
    spans = sorted(
        (attempt.started_at, _end(attempt, now))
        for attempt in attempts
        if attempt.kind not in _WAITS and not (attempt.kind or "").startswith("control.")
    )
    joined: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _bars(found: OccurrenceView, parts: Sequence[_Part], now: datetime) -> tuple[Bar, ...]:
    bars: list[Bar] = []
    several = len(found.attempts) > 1
    for attempt in found.attempts:
        x, end = _place(attempt.started_at, parts), _end(attempt, now)
        width = max(_place(end, parts) - x, NARROWEST)
        says = f"{attempt.status.value}{f', attempt {attempt.attempt}' if several else ''}"
        bars.append(Bar(min(x, WIDTH - width), width, attempt.status.value.lower(), says))
        if attempt.next_retry_at is not None and attempt.completed_at is not None:
            reaches = _place(min(attempt.next_retry_at, parts[-1].ends), parts)
            start = _place(attempt.completed_at, parts)
            if reaches > start:
                bars.append(Bar(start, reaches - start, "backoff", "Waits for the next attempt"))
    return tuple(bars)


def _place(at: datetime, parts: Sequence[_Part]) -> float:
    for part in parts:
        if at <= part.ends:
            lasts = part.ends - part.begins
            return part.x + (part.width * ((at - part.begins) / lasts) if lasts else 0.0)
    return WIDTH
