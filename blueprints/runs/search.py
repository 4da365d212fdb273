"""GET /runs: the list; and the same as a file. What is asked for is in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from flask import Response, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from blueprints.extensions import reading, services
from blueprints.guard import who
from blueprints.hypermedia import render_page, see_other, unchanged, wants_fragment
from blueprints.paging import cursor_of
from blueprints.runs import bp, columns
from blueprints.runs.csv_file import csv_of
from blueprints.runs.filters import ListFilters
from blueprints.runs.list_query import as_query
from blueprints.runs.listing import (
    RunsPage,
    StatusOption,
    ViewLink,
    count_text,
    options,
    pack,
    unpack,
)
from blueprints.runs.selection_bar import SelectionBar, selection_bar
from engine.errors import Invalid
from engine.runs.roles import Role
from engine.runs.status import RunStatus
from engine.services.count_runs import is_exact
from engine.services.find_runs import (
    RunList,
    every_run,
    page_at,
    runs_of,
    shown_runs,
    workflows_with_runs,
)
from engine.services.keyset import Cursor
from engine.services.run_filter import Trigger
from engine.services.saved_views import default_query, views_of
from engine.services.select_runs import selected_among
from engine.services.state_of_list import state_of_list
from engine.services.state_tag import state_tag


@bp.get("")
def index() -> Response:
    """The list; asked for without any filter, the operator's default view of it."""
    if not request.args and not wants_fragment():
        with reading() as session:
            query = default_query(session, who().operator_id)
        if query:
            return see_other(f"{url_for('runs.index')}?{query}")
    shown = unpack(request.args.get("shown", ""))
    if shown and wants_fragment():
        with reading() as session:
            same = unchanged(_tag(session, request.args, shown))
        if same is not None:
            return same
    return show_list(request.args)


def show_list(
    given: MultiDict[str, str], *, message: str | None = None, status: int = 200
) -> Response:
    """An unknown filter is said, not guessed. `message`: why nothing was done to what is ticked."""
    unfit: list[str] = []
    cursor, operator_id = cursor_of(given, unfit), who().operator_id
    with reading() as session:
        workflows = workflows_with_runs(session)
        filters = ListFilters.of(given, dict(workflows), services().now())
        tag, found = _found(session, given, filters, cursor)
        ticked = selected_among(session, operator_id, [row.run_id for row in found.rows])
        views = views_of(session, operator_id)
    problems = {**filters.problems, **({"cursor": " ".join(unfit)} if unfit else {})}
    same = None if problems or message else unchanged(tag)
    if same is not None:
        return same
    page = replace(
        _page(found, filters, workflows, cursor, problems),
        ticked=ticked,
        views=tuple(ViewLink(v.name, v.query, v.query == filters.view) for v in views),
    )
    if page.may_run:
        bar = _selection(page, cursor, message)
        if problems:  # Nothing is done to all that a part of the filters would find.
            bar = replace(bar, query=as_query(given))
        page = replace(page, selection=bar)
    status = 422 if problems else status
    return render_page("runs/list.html", "runs/_run-list.html", status=status, tag=tag, page=page)


@bp.get("/list.csv")
def as_file() -> Response:
    """All runs that the filters find, newest first, as a table for a spreadsheet."""
    with reading() as session:
        known = dict(workflows_with_runs(session))
    filters = ListFilters.of(request.args, known, services().now())
    if filters.problems:
        raise Invalid(" ".join(filters.problems.values()), [])
    response = Response(csv_of(every_run(services(), filters.wanted)), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="runs.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _tag(session: Session, given: MultiDict[str, str], shown: Sequence[str]) -> str:
    """Of what a poll looks at: where the clock is part of the filter, it changes every minute."""
    now = services().now()
    state = state_of_list(session, who().operator_id, shown, now)
    minute = now.timestamp() // 60 if given.get("last") or given.get("queued") else None
    return state_tag(state, who().role, minute)


def _found(
    session: Session, given: MultiDict[str, str], filters: ListFilters, cursor: Cursor | None
) -> tuple[str, RunList]:
    """The tag is of the state before the rows are read: what changes meanwhile is shown again."""
    shown, now = unpack(given.get("shown", "")), services().now()
    if shown and cursor is None:
        tag = _tag(session, given, shown)
        return tag, shown_runs(session, filters.wanted, shown, now)
    page = page_at(session, filters.wanted, cursor, now)
    return _tag(session, given, page.ids), runs_of(session, filters.wanted, page, now)


def _selection(page: RunsPage, cursor: Cursor | None, message: str | None) -> SelectionBar:
    """What is above the list. Its addresses are queries: it is a form's business to lead on."""
    filters = page.filters
    back = filters.query_string(cursor=str(cursor) if cursor else None)
    newer, older = (
        None if url is None else urlsplit(url).query for url in (page.newer_url, page.older_url)
    )
    return selection_bar(filters.only, back, newer=newer, older=older, message=message)


def _page(
    found: RunList,
    filters: ListFilters,
    workflows: list[tuple[str, str]],
    cursor: Cursor | None,
    problems: dict[str, str],
) -> RunsPage:
    def address(**more: Any) -> str:
        return url_for("runs.index", **filters.query(), **more)

    def unknown(name: str) -> str:
        return filters.typed[name] if name in problems else ""

    wanted, exact = filters.wanted, is_exact(filters.wanted)
    triggers = ((trigger.value, trigger.value.capitalize()) for trigger in Trigger)
    polls = cursor is None and not problems
    shown = pack([row.run_id for row in found.rows]) or None
    here = filters.query_string(columns=None, cursor=str(cursor) if cursor else None) or "all=1"
    return RunsPage(
        rows=found.rows,
        filters=filters,
        statuses=tuple(
            StatusOption(
                status, count_text(found.counts[status], exact=exact), status in wanted.statuses
            )
            for status in RunStatus
        ),
        workflows=options(workflows, [wanted.workflow_key or ""], unknown("workflow")),
        triggers=options(triggers, [wanted.trigger or ""], unknown("trigger")),
        lasts=options(_LAST_TEXT.items(), [filters.last], unknown("last")),
        columns=options(columns.TITLES.items(), filters.columns),
        kept=tuple(parse_qsl(here)),
        columns_text=columns.as_text(filters.columns),
        usual_url=f"{url_for('runs.index')}?{here}",
        address=address(),
        all_url=url_for("runs.index", all=1, columns=columns.as_text(filters.columns)),
        poll_url=address(shown=shown) if polls else None,
        csv_url=url_for("runs.as_file", **filters.query() | {"columns": None}),
        newer_url=address(cursor=str(found.newer)) if found.newer else None,
        older_url=address(cursor=str(found.older)) if found.older else None,
        may_run=who().may(Role.OPERATOR),
        new=found.new,
        problems=problems,
    )


_LAST_TEXT: Final = {
    "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"
}  # fmt: skip
