"""Points in time that a document gives: durations from now, and RFC 3339 texts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.contract import Json
from engine.definitions.fields import TEN_YEARS_MS
from engine.errors import Category, StepFailed

LONGEST: Final = timedelta(milliseconds=TEN_YEARS_MS)

_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def after(now: datetime, ms: Json, what: str) -> datetime:
    """`ms` milliseconds from now. Raises StepFailed(ValidationError)."""
    if isinstance(ms, bool) or not isinstance(ms, int) or ms < 0:
        raise _refused(f"{what} must be a whole number of milliseconds, 0 or more.")
    if ms > TEN_YEARS_MS:
        raise _refused(f"{what} must be at most ten years.")
    return now + timedelta(milliseconds=ms)


def at(now: datetime, text: Json, what: str) -> datetime:
    """The moment that an RFC 3339 text with an offset names; it may lie in the past."""
    moment = _parsed(text) if isinstance(text, str) else None
    if moment is None:
        raise _refused(f"{what} must be a time such as 2026-06-09T12:00:00Z, with its offset.")
    if moment - now > LONGEST:
        raise _refused(f"{what} must be at most ten years ahead.")
    return moment


def _parsed(text: str) -> datetime | None:
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refused(message: str) -> StepFailed:
    return StepFailed(Category.VALIDATION, message)
