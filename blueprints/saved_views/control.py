"""POST /runs/views: save, rename, delete, and what /runs opens with. Every role has views."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request, url_for

from blueprints.errors import status_of
from blueprints.extensions import services
from blueprints.guard import who
from blueprints.hypermedia import see_other
from blueprints.runs.list_query import filters_only
from blueprints.saved_views import bp
from blueprints.saved_views.browse import render_views
from blueprints.saved_views.pages import Typed
from engine.errors import Conflict, Invalid
from engine.services.saved_views import delete_view, make_default, rename_view, save_view


@bp.post("")
def save() -> Response:
    """On success the browser is on the list, in the view."""
    query = filters_only(request.form.get("query", ""))
    name, default = request.form.get("name", ""), bool(request.form.get("default"))

    def do() -> None:
        save_view(services(), who().operator_id, name, query, default=default)

    target = url_for("runs.index") + (f"?{query}" if query else "?all=1")
    return _tried(do, Typed(None, name), query, target)


@bp.post("/<view_id>/rename")
def rename(view_id: str) -> Response:
    name = request.form.get("name", "")
    return _tried(
        lambda: rename_view(services(), who().operator_id, view_id, name),
        Typed(view_id, name),
    )


@bp.post("/<view_id>/delete")
def delete(view_id: str) -> Response:
    delete_view(services(), who().operator_id, view_id)
    return see_other(url_for("saved_views.index"))


@bp.post("/<view_id>/default")
def default(view_id: str) -> Response:
    """`on=0`: the list opens with all runs again."""
    wanted = None if request.form.get("on") == "0" else view_id
    make_default(services(), who().operator_id, wanted)
    return see_other(url_for("saved_views.index"))


def _tried(
    do: Callable[[], None], typed: Typed, query: str = "", target: str | None = None
) -> Response:
    """Where to go on, or the form as it was sent with what is wrong beside the field."""
    try:
        do()
    except Invalid as error:
        problems = {problem.pointer: problem.message for problem in error.problems}
        again = Typed(typed.view_id, typed.name, problems)
        return render_views(query, typed=again, status=422)
    except Conflict as error:
        return render_views(query, typed=typed, message=error.message, status=status_of(error))
    return see_other(target or url_for("saved_views.index"))
