"""How old something is by rows of other processes, one of which may have a wrong clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, or_

CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""What lies further ahead than that was written by a wrong clock, and is not waited for."""


def older_than(age: timedelta, at: Any, now: datetime) -> ColumnElement[bool]:
    """Of a column."""
    return or_(at < now - age, at > now + CLOCKS_DIFFER)


def is_older_than(age: timedelta, at: datetime, now: datetime) -> bool:
    """As `older_than`, of a time."""
    return not now - age <= at <= now + CLOCKS_DIFFER
