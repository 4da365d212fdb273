"""Cron lines of five fields: what is wrong with one, and when it runs (original 2.8).

Summer time as Debian's cron has it: a time of day that a day lacks runs when the clock has jumped,
one that a day has twice runs the first time, and lines for every hour go by real hours.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from cronsim import CronSim, CronSimError

LONGEST: Final = 128
"""Characters of a line."""
SHORTEST_GAP_MIN: Final = 5
"""Minutes between two runs at least."""

_FIELD: Final = re.compile(r"[0-9*/,\-]+")
_EVERY: Final = re.compile(r"\*/\d+")
_ANY_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


def fault_of(cron: str) -> str | None:
    """What is wrong with the line, as a sentence; None: nothing."""
    fields = cron.split()
    if len(cron) > LONGEST:
        return f"a cron line has at most {LONGEST} characters."
    if len(fields) != 5:
        return "a cron line has five fields."
    if not all(_FIELD.fullmatch(field) for field in fields):
        return "fields are made of digits and * / , -."
    if fields[2] != "*" and fields[4] != "*":
        return "day of month and day of week exclude each other."
    try:
        times = CronSim(cron, _ANY_DAY)
    except CronSimError as error:
        return f"no such time: {str(error).lower()}."
    gap = _shortest_gap_min(times, anew_each_hour=_EVERY.fullmatch(fields[0]) is not None)
    if gap < SHORTEST_GAP_MIN:
        return f"runs would be {gap} min apart, and {SHORTEST_GAP_MIN} is the least."
    return None


def is_timezone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def next_time(cron: str, timezone: str, after: datetime) -> datetime:
    """The first time later than `after`, in UTC.

    Raises `ValueError` for a line that has no time or a zone that this machine does not know.
    """
    return next(times_after(cron, timezone, after))


def times_after(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Endless. Raises as `next_time` does."""
    try:
        local = after.astimezone(zoneinfo.ZoneInfo(timezone))
        times = CronSim(cron, local)
    except (CronSimError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ValueError(f"{cron!r} in {timezone} has no time: {error}") from error
    last = after
    for time in times:
        found = time.astimezone(UTC)
        # Within the hour that a day has twice, the line's time of day has been already.
        if found > last:
            yield found
            last = found


def _shortest_gap_min(times: CronSim, *, anew_each_hour: bool) -> int:
    """Minutes between two runs, in an hour and over its end. Midnight counts for every line.

    `anew_each_hour`: `*/7` is every 7 minutes, as the author means it and the original takes it,
    though its last gap of an hour is shorter.
    """
    minutes = sorted(times.minutes)
    gaps = [60] + [later - earlier for earlier, later in pairwise(minutes)]
    if not anew_each_hour and any((hour + 1) % 24 in times.hours for hour in times.hours):
        gaps.append(60 - minutes[-1] + minutes[0])
    return min(gaps)
