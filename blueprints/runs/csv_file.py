"""The list of runs as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from blueprints.display import between, iso
from engine.services.run_rows import RunRow

_COLUMNS: Final = (
    "run_id",
    "status",
    "workflow",
    "workflow_name",
    "version",
    "started_at",
    "completed_at",
    "duration_ms",
    "started_by",
    "trigger",
    "replay_of",
    "parent",
)
_SIGNS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings that a spreadsheet executes; the last four are full-width forms of the first."""
_BREAKS: Final = ("\t", "\r", "\n")
"""What follows may become a cell of its own."""


def csv_of(rows: Iterable[RunRow]) -> Iterator[str]:
    """Line by line: of a million runs none are kept."""
    yield _line(_COLUMNS)
    for row in rows:
        yield _line(_cells(row))


def _line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([harmless(cell) for cell in cells])
    return line.getvalue()


def harmless(cell: object) -> str:
    """Text that begins as a formula gets an apostrophe before it, which spreadsheets hide.

    What cannot be seen before the sign does not count: some programs leave it out as they read.
    """
    text = "" if cell is None else str(cell)
    first = next((sign for sign in text if _is_seen(sign)), None)
    return f"'{text}" if text.startswith(_BREAKS) or first in _SIGNS else text


def _is_seen(sign: str) -> bool:
    return sign.isprintable() and not sign.isspace()


def _cells(row: RunRow) -> list[object]:
    ended = row.completed_at
    return [
        row.run_id,
        row.status.value,
        row.workflow_key,
        row.workflow_name,
        row.workflow_version,
        iso(row.started_at),
        iso(ended) if ended else None,
        round(between(row.started_at, ended)) if ended else None,
        row.started_by,
        row.trigger,
        row.replay_of_run_id,
        row.parent_run_id,
    ]
