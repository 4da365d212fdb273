"""GET /runs/<id>/log, /calls and /audit: what was recorded of a run, each in pages of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Response, request, url_for

from blueprints.extensions import reading, rules
from blueprints.hypermedia import render_page
from blueprints.paging import cursor_of
from blueprints.runs import bp
from engine.runs import strict_json
from engine.runs.status import LogLevel, RunStatus
from engine.services.audit_trail import AuditView, audit_trail
from engine.services.entered import run_id_of
from engine.services.inspect_run import OpenedRun, open_run
from engine.services.keyset import Cursor
from engine.services.list_calls import CallView, list_calls
from engine.services.read_log import LogFilter, LogPage, read_log

T = TypeVar("T")
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """One of the pages about a run, beside its own."""

    run_id: str
    status: RunStatus
    workflow_name: str
    problems: tuple[str, ...] = ()
    older_url: str | None = None
    newest_url: str | None = None
    log: LogPage | None = None
    wanted: LogFilter = field(default_factory=LogFilter)
    levels: tuple[str, ...] = tuple(level.value for level in LogLevel)
    calls: tuple[CallView, ...] = ()
    entries: tuple[AuditView, ...] = ()


@bp.get("/<run_id>/log")
def log(run_id: str) -> Response:
    """Filtered by `level` (at least), `step` and `q`; the newest lines first."""
    wanted, faults = _log_filter()
    query = {"level": request.args.get("level"), "step": wanted.path, "q": wanted.text}

    def load(opened: OpenedRun, cursor: Cursor | None) -> tuple[dict[str, Any], Cursor | None]:
        found = read_log(opened, wanted, cursor)
        return {"log": found, "wanted": wanted}, found.older

    return _page(run_id, "log", load, query, faults)


@bp.get("/<run_id>/calls")
def calls(run_id: str) -> Response:
    """What the run's actions were asked, and what they answered."""

    def load(opened: OpenedRun, cursor: Cursor | None) -> tuple[dict[str, Any], Cursor | None]:
        found, older = list_calls(opened, cursor)
        return {"calls": found}, older

    return _page(run_id, "calls", load)


@bp.get("/<run_id>/audit")
def audit(run_id: str) -> Response:
    """Who did what to the run, and who was refused."""

    def load(opened: OpenedRun, cursor: Cursor | None) -> tuple[dict[str, Any], Cursor | None]:
        found, older = audit_trail(opened, cursor)
        return {"entries": found}, older

    return _page(run_id, "audit", load)


def _page(
    run_id: str,
    name: str,
    load: Callable[[OpenedRun, Cursor | None], tuple[dict[str, Any], Cursor | None]],
    query: dict[str, Any] | None = None,
    faults: list[str] | None = None,
) -> Response:
    run_id, problems = run_id_of(run_id), list(faults or ())
    cursor = cursor_of(request.args, problems)
    with reading() as session:
        opened = open_run(session, run_id, rules())
        opened.learn()
        shown, older = load(opened, cursor)

    def address(place: Cursor | None) -> str:
        at = str(place) if place else None
        return url_for(f"runs.{name}", run_id=run_id, **(query or {}), cursor=at)

    page = RecordsPage(
        run_id=run_id,
        status=RunStatus(opened.run.status),
        workflow_name=opened.row.name,
        problems=tuple(problems),
        older_url=address(older) if older else None,
        newest_url=address(None) if cursor else None,
        **shown,
    )
    status = 422 if problems else 200
    return render_page(f"runs/{name}.html", f"runs/_run-{name}.html", status=status, page=page)


def _log_filter() -> tuple[LogFilter, list[str]]:
    faults: list[str] = []
    level = request.args.get("level", "").strip().upper() or LogLevel.DEBUG.value
    if level not in set(LogLevel):
        faults.append(f"There is no level {level[:40]!r}.")
        level = LogLevel.DEBUG.value
    step, text = (request.args.get(name, "").strip() for name in ("step", "q"))
    for typed in (step, text):
        if strict_json.check(typed) or len(typed) > _LONGEST_TEXT:
            faults.append("What is searched for is too long, or holds what no line can hold.")
            step = text = ""
    return LogFilter(LogLevel(level), step or None, text or None), faults
