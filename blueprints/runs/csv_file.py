"""The list of runs as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from blueprints.display import between, iso
from engine.services.find_runs import RunRow

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
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings that a spreadsheet executes; the last four are full-width forms of the first."""


def csv_of(rows: Iterable[RunRow]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([harmless(cell) for cell in _cells(row)])
    return file.getvalue()


def harmless(cell: object) -> str:
    """Text that begins as a formula gets an apostrophe before it, which spreadsheets hide."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


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
        row.trigger_type,
        row.replay_of_run_id,
        row.parent_run_id,
    ]
