"""The log of one run, filtered: by level, by step, and by words of what may be shown.

Words are looked for in the redacted lines, never in the stored ones: or a search would tell, word
by word, what is masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from engine.runs.status import LogLevel
from engine.services.inspect_run import OpenedRun, log_view
from engine.services.keyset import Cursor, newest_first
from engine.services.run_views import LogView
from engine.store.logs import WorkflowRunLog

PAGE_SIZE: Final = 100
SEARCHED: Final = 5000
"""Lines that one page of a search goes over at most; the next one begins where it ended."""
STEPS_LISTED: Final = 200

_LOG: Final = WorkflowRunLog
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class LogFilter:
    at_least: LogLevel = LogLevel.DEBUG
    path: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    lines: tuple[LogView, ...]
    """Newest first."""
    older: Cursor | None
    """Where to go on; None: nothing is left."""
    steps: tuple[str, ...]
    """Paths that the log names."""


def read_log(opened: OpenedRun, wanted: LogFilter, cursor: Cursor | None = None) -> LogPage:
    """`opened` must have learned what to mask."""
    lines: list[LogView] = []
    place, more = cursor, False
    for searched, row in enumerate(_rows(opened, wanted, cursor)):
        if len(lines) == PAGE_SIZE or searched == SEARCHED:
            more = True
            break
        place = Cursor(row.created_at, row.log_id)
        line = log_view(row, opened.redaction)
        if wanted.text is None or _holds(line, wanted.text.casefold()):
            lines.append(line)
    return LogPage(tuple(lines), place if more else None, _steps(opened))


def _holds(line: LogView, text: str) -> bool:
    shown = line.message if line.context is None else f"{line.message}\n{line.context.text}"
    return text in shown.casefold()


def _rows(opened: OpenedRun, wanted: LogFilter, cursor: Cursor | None) -> Iterator[WorkflowRunLog]:
    levels = list(LogLevel)[list(LogLevel).index(wanted.at_least) :]
    while True:
        query = (
            select(_LOG)
            .where(_LOG.run_id == opened.run.run_id, _LOG.level.in_(levels))
            .limit(_BATCH)
        )
        if wanted.path is not None:
            query = query.where(_LOG.step_path == wanted.path)
        query = newest_first(query, _LOG.created_at, _LOG.log_id, cursor)
        found = opened.session.scalars(query).all()
        yield from found
        if len(found) < _BATCH:
            return
        cursor = Cursor(found[-1].created_at, found[-1].log_id)


def _steps(opened: OpenedRun) -> tuple[str, ...]:
    query = (
        select(_LOG.step_path)
        .where(_LOG.run_id == opened.run.run_id, _LOG.step_path.is_not(None))
        .distinct()
        .order_by(_LOG.step_path)
        .limit(STEPS_LISTED)
    )
    return tuple(path for path in opened.session.scalars(query) if path is not None)
