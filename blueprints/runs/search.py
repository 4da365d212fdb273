"""GET /runs: the list; and the same as a file. Filters are in the address."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from blueprints.extensions import reading, services
from blueprints.guard import who
from blueprints.hypermedia import render_page, see_other, unchanged, wants_fragment
from blueprints.paging import cursor_of
from blueprints.runs import bp
from blueprints.runs.csv_file import csv_of
from blueprints.runs.filters import LAST, ListFilters
from blueprints.runs.listing import (
    Option,
    RunsPage,
    StatusOption,
    ViewLink,
    count_text,
    pack,
    unpack,
)
from blueprints.runs.selection_bar import SelectionBar, selection_bar
from engine.errors import Invalid
from engine.runs.roles import Role
from engine.runs.status import RunStatus
from engine.services.find_runs import (
    RunList,
    all_runs,
    find_runs,
    shown_runs,
    workflows_with_runs,
)
from engine.services.keyset import Cursor
from engine.services.run_filter import Trigger
from engine.services.saved_views import default_query, views_of
from engine.services.select_runs import selected_among

ROWS_OF_A_FILE: Final = 5000


@bp.get("")
def index() -> Response:
    """The list; asked for without any filter, the operator's default view of it."""
    if not request.args and not wants_fragment():
        with reading() as session:
            query = default_query(session, who().operator_id)
        if query:
            return see_other(f"{url_for('runs.index')}?{query}")
    return show_list(request.args)


def show_list(
    given: MultiDict[str, str], *, message: str | None = None, status: int = 200
) -> Response:
    """An unknown filter is said, not guessed. `message`: why nothing was done to what is ticked."""
    problems: list[str] = []
    cursor, operator_id = cursor_of(given, problems), who().operator_id
    with reading() as session:
        workflows = workflows_with_runs(session)
        filters = ListFilters.of(given, dict(workflows), services().now())
        found = _found(session, given, filters, cursor)
        ticked = selected_among(session, operator_id, [row.run_id for row in found.rows])
        views = views_of(session, operator_id)
    problems = [*filters.problems, *problems]
    tag = hashlib.sha256(repr((found, sorted(ticked), who().role)).encode()).hexdigest()[:24]
    same = None if problems or message else unchanged(tag)
    if same is not None:
        return same
    page = _page(found, filters, workflows, cursor, problems)
    page = replace(
        page,
        ticked=ticked,
        selection=_selection(page, filters, cursor, message) if page.may_run else None,
        views=tuple(ViewLink(v.name, v.query, v.query == filters.query_string()) for v in views),
        asks_for_all="all" in given,
    )
    status = 422 if problems else status
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


def _found(
    session: Session, given: MultiDict[str, str], filters: ListFilters, cursor: Cursor | None
) -> RunList:
    shown, now = unpack(given.get("shown", "")), services().now()
    if shown and cursor is None:
        return shown_runs(session, filters.wanted, shown, now)
    return find_runs(session, filters.wanted, cursor, now)


def _selection(
    page: RunsPage, filters: ListFilters, cursor: Cursor | None, message: str | None
) -> SelectionBar:
    """What is above the list. Its addresses are queries: it is a form's business to lead on."""
    back = filters.query_string(cursor=str(cursor) if cursor else None)
    newer, older = (
        None if url is None else urlsplit(url).query for url in (page.newer_url, page.older_url)
    )
    return selection_bar(filters.query_string(), back, newer=newer, older=older, message=message)


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
