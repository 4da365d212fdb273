"""Rate limits that hold between processes: counters in the database, one a bucket and minute.

The minute before counts for as much of it as still lies within the last sixty seconds, so that
nobody doubles a limit by waiting for the minute to turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from engine.errors import TooMany
from engine.store.rate_limits import RateLimitCounter
from engine.store.upsert import insert_into

WINDOW: Final = timedelta(minutes=1)
_KEPT: Final = timedelta(days=1)
_COUNTERS: Final = cast(Table, RateLimitCounter.__table__)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted where: `give_back` takes it out again."""

    bucket: str
    window_start: datetime


def count(session: Session, bucket: str, limit: int, now: datetime) -> Counted:
    """Count one more in `bucket`. Raises `TooMany` above `limit` a minute.

    The row is locked until the caller's transaction ends, and what that rolls back is not counted.
    """
    start = _window_start(now)
    used = _add_one(session, bucket, start)
    before = (
        session.scalar(
            select(_COUNTERS.c.used).where(
                _COUNTERS.c.bucket == bucket, _COUNTERS.c.window_start == start - WINDOW
            )
        )
        or 0
    )
    passed = (now - start) / WINDOW
    if used + before * (1 - passed) > limit:
        wait = _wait(used, before, limit, passed)
        raise TooMany(
            f"Too many attempts. Try again in {wait} s.", retry_after_s=wait, code="RATE_LIMITED"
        )
    return Counted(bucket, start)


def give_back(session: Session, counted: Counted) -> None:
    """Uncount what turned out not to be an attempt of the kind that is limited."""
    session.execute(
        update(_COUNTERS)
        .where(
            _COUNTERS.c.bucket == counted.bucket,
            _COUNTERS.c.window_start == counted.window_start,
            _COUNTERS.c.used > 0,
        )
        .values(used=_COUNTERS.c.used - 1)
    )


def forget_old(session: Session, now: datetime) -> None:
    """Delete counters that no longer limit anything."""
    session.execute(delete(_COUNTERS).where(_COUNTERS.c.window_start < now - _KEPT))


def _add_one(session: Session, bucket: str, start: datetime) -> int:
    statement = insert_into(session, _COUNTERS).values(bucket=bucket, window_start=start, used=1)
    added = statement.on_conflict_do_update(
        index_elements=[_COUNTERS.c.bucket, _COUNTERS.c.window_start],
        set_={"used": _COUNTERS.c.used + 1},
    ).returning(_COUNTERS.c.used)
    return int(session.execute(added).scalar_one())


def _window_start(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _wait(used: int, before: int, limit: int, passed: float) -> int:
    """Whole seconds until one more would be within the limit."""
    if used <= limit and before:
        windows = 1 - (limit - used) / before - passed
    else:  # The whole of this minute's count has to fade first.
        windows = (1 - passed) + 1 / limit
    return max(1, math.ceil(windows * WINDOW.total_seconds()))
