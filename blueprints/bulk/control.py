"""POST /runs/bulk: fix the runs; then start, or stop what is left. Nothing is done in a request."""

from __future__ import annotations

from flask import Response, request, url_for

from blueprints.bulk import bp
from blueprints.bulk.browse import OPERATION, bulk_id_of, load_bulk, render_bulk
from blueprints.bulk.selection import keep_ticked
from blueprints.errors import status_of
from blueprints.extensions import reading, services
from blueprints.guard import actor, needs
from blueprints.hypermedia import see_other
from blueprints.runs.filters import ListFilters
from blueprints.runs.forms import ReasonForm
from blueprints.runs.list_query import read_query
from blueprints.runs.search import show_list
from engine.errors import Conflict, Invalid, Problem
from engine.runs.roles import Role
from engine.services.draft_bulk import draft_matching, draft_selected
from engine.services.find_runs import workflows_with_runs
from engine.services.follow_bulk import follow_bulk
from engine.services.start_bulk import STOP, start_bulk, stop_bulk
from engine.store.bulk import BulkKind


@bp.post("/bulk")
@needs(Role.OPERATOR, OPERATION)
def draft() -> Response:
    """`kind`; `scope` selected (with the `run`s ticked on this page) or matching (with `query`)."""
    kind = _kind(request.form.get("kind", ""))
    try:
        if request.form.get("scope") == "matching":
            bulk_id = _matching(kind, request.form.get("query"))
        else:
            keep_ticked()
            bulk_id = draft_selected(services(), kind, actor())
    except (Invalid, Conflict) as error:
        said = error.problems[0].message if isinstance(error, Invalid) else error.message
        given = read_query(request.form.get("back", ""))
        return show_list(given, message=said, status=status_of(error))
    return see_other(url_for("bulk.show", bulk_id=bulk_id))


@bp.post("/bulk/<bulk_id>/start")
@needs(Role.OPERATOR, OPERATION)
def start(bulk_id: str) -> Response:
    """A second start of the same operation only leads to it."""
    bulk_id = bulk_id_of(bulk_id)
    form = ReasonForm.of(request.form)
    if form.problems:
        return _again(bulk_id, 422, form.reason, form.problems)
    try:
        start_bulk(services(), bulk_id, actor(), form.reason)
    except Invalid as error:
        problems = {"reason": " ".join(problem.message for problem in error.problems)}
        return _again(bulk_id, 422, form.reason, problems)
    except Conflict as error:
        return _again(bulk_id, status_of(error), form.reason, {}, error.message)
    return see_other(url_for("bulk.show", bulk_id=bulk_id))


@bp.post("/bulk/<bulk_id>/stop")
@needs(Role.OPERATOR, STOP)
def stop(bulk_id: str) -> Response:
    """What has not had its turn is left out."""
    bulk_id = bulk_id_of(bulk_id)
    try:
        stop_bulk(services(), bulk_id, actor())
    except Conflict as error:
        return _again(bulk_id, status_of(error), "", {}, error.message)
    return see_other(url_for("bulk.show", bulk_id=bulk_id))


def _again(
    bulk_id: str, status: int, reason: str, problems: dict[str, str], message: str | None = None
) -> Response:
    with reading() as session:
        bulk = follow_bulk(session, bulk_id, services().now())
    page = load_bulk(bulk, reason=reason, problems=problems, message=message)
    return render_bulk(page, status)


def _kind(text: str) -> BulkKind:
    """Raises `Invalid`."""
    try:
        return BulkKind(text)
    except ValueError:
        problem = Problem("kind", "Choose what is to be done: cancel or replay.")
        raise Invalid("What is to be done is not known.", [problem]) from None


def _matching(kind: BulkKind, text: str | None) -> str:
    """Raises `Invalid`. Filters that got lost on the way must not come to mean all runs."""
    if text is None:
        problem = Problem("query", "The filters did not come along, so nothing was chosen.")
        raise Invalid(problem.message, [problem])
    with reading() as session:
        known = dict(workflows_with_runs(session))
    filters = ListFilters.of(read_query(text), known, services().now())
    if filters.problems:
        faults = [Problem("query", problem) for problem in filters.problems.values()]
        raise Invalid("These filters are not understood, so nothing was chosen.", faults)
    return draft_matching(services(), kind, actor(), filters.wanted, filters.only)
