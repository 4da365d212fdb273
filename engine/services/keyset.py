"""Keyset pages, newest first: a cursor is the last row's place, and costs the same at any depth.

OFFSET grows with the page (docs/measured.md 5).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, literal, tuple_

from engine.errors import Invalid, Problem

Row = TypeVar("Row")
Query = TypeVar("Query", bound=Select[Any])


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list, and which way to go from it."""

    at: datetime
    row_id: str
    newer: bool = False

    def __str__(self) -> str:
        micros = round(self.at.timestamp() * 1_000_000)
        text = f"{'n' if self.newer else 'o'}{micros}.{self.row_id}"
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises `Invalid` for anything that is no cursor of ours."""
        try:
            plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            micros, row_id = plain[1:].split(".", 1)
            seconds, rest = divmod(int(micros), 1_000_000)
            at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
            newer = {"n": True, "o": False}[plain[0]]
            return cls(at, str(UUID(row_id)), newer=newer)
        except (ValueError, OverflowError, OSError, IndexError, KeyError):
            message = "This page of the list does not exist."
            raise Invalid(message, [Problem("cursor", "is no place in the list")]) from None


def place(cursor: Cursor, at: Any, row_id: Any) -> Any:
    """What the columns `at` and `row_id` are compared with."""
    return tuple_(literal(cursor.at, at.type), literal(cursor.row_id, row_id.type))


def newest_first(query: Query, at: Any, row_id: Any, cursor: Cursor | None) -> Query:
    """In order of `at` and `row_id`, from the cursor on."""
    query = query.order_by(at.desc(), row_id.desc())
    if cursor is None:
        return query
    return query.where(tuple_(at, row_id) < place(cursor, at, row_id))


def page_of(
    rows: Sequence[Row], size: int, cursor_of: Callable[[Row], Cursor]
) -> tuple[Sequence[Row], Cursor | None]:
    """Of `size` + 1 rows that were asked for: the page, and where the next one begins."""
    kept = rows[:size]
    return kept, cursor_of(kept[-1]) if len(rows) > size else None
