"""GET /runs: the list; and the same as a file. Filters are in the address."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from blueprints.extensions import reading, services
from blueprints.guard import who
from blueprints.hypermedia import render_page, unchanged
from blueprints.runs import bp
from blueprints.runs.csv_file import csv_of
from blueprints.runs.filters import LAST, ListFilters
from blueprints.runs.listing import Option, RunsPage, StatusOption, count_text, pack, unpack
from engine.errors import Invalid
from engine.runs.roles import Role
from engine.runs.status import RunStatus
from engine.services.find_runs import (
    Cursor,
    RunList,
    all_runs,
    find_runs,
    shown_runs,
    workflows_with_runs,
)
from engine.services.run_filter import Trigger

ROWS_OF_A_FILE: Final = 5000


@bp.get("")
def index() -> Response:
    """The list. An unknown filter is said, not guessed."""
    problems: list[str] = []
    cursor = _cursor(problems)
    with reading() as session:
        workflows = workflows_with_runs(session)
        filters = ListFilters.of(request.args, dict(workflows), services().now())
        found = _found(session, filters, cursor)
    problems = [*filters.problems, *problems]
    tag = hashlib.sha256(repr((found, who().role)).encode()).hexdigest()[:24]
    same = None if problems else unchanged(tag)
    if same is not None:
        return same
    page = _page(found, filters, workflows, cursor, problems)
    status = 422 if problems else 200
    return render_page("runs/list.html", "runs/_run-list.html", status=status, tag=tag, page=page)


@bp.get("/list.csv")
def as_file() -> Response:
    """The runs that the filters find, newest first, as a table for a spreadsheet."""
    with reading() as session:
        known = dict(workflows_with_runs(session))
        filters = ListFilters.of(request.args, known, services().now())
        if filters.problems:
            raise Invalid(" ".join(filters.problems), [])
        rows = all_runs(session, filters.wanted, services().now(), limit=ROWS_OF_A_FILE)
    response = Response(csv_of(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="runs.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _found(session: Session, filters: ListFilters, cursor: Cursor | None) -> RunList:
    shown, now = unpack(request.args.get("shown", "")), services().now()
    if shown and cursor is None:
        return shown_runs(session, filters.wanted, shown, now)
    return find_runs(session, filters.wanted, cursor, now)


def _cursor(problems: list[str]) -> Cursor | None:
    text = request.args.get("cursor", "").strip()
    try:
        return Cursor.parse(text) if text else None
    except Invalid as error:
        problems.append(f"{error.message} This is the newest page.")
        return None


def _page(
    found: RunList,
    filters: ListFilters,
    workflows: list[tuple[str, str]],
    cursor: Cursor | None,
    problems: list[str],
) -> RunsPage:
    def address(**more: Any) -> str:
        return url_for("runs.index", **filters.query(), **more)

    wanted = filters.wanted
    polls = cursor is None and not problems
    shown = pack([row.run_id for row in found.rows]) or None
    return RunsPage(
        rows=found.rows,
        filters=filters,
        statuses=tuple(
            StatusOption(status, count_text(found.counts[status]), status in wanted.statuses)
            for status in RunStatus
        ),
        workflows=tuple(Option(k, name, k == wanted.workflow_key) for k, name in workflows),
        triggers=tuple(Option(t.value, t.value, t is wanted.trigger) for t in Trigger),
        lasts=tuple(Option(name, _LAST_TEXT[name], name == filters.last) for name in LAST),
        address=address(),
        poll_url=address(shown=shown) if polls else None,
        csv_url=url_for("runs.as_file", **filters.query()),
        newer_url=address(cursor=str(found.newer)) if found.newer else None,
        older_url=address(cursor=str(found.older)) if found.older else None,
        may_run=who().may(Role.OPERATOR),
        new=found.new,
        problems=tuple(problems),
    )


_LAST_TEXT: Final = {
    "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"
}  # fmt: skip
