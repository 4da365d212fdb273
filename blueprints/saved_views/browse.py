"""GET /runs/views: the operator's views, and the filters they come from to be saved."""

from __future__ import annotations

from flask import Response, request

from blueprints.extensions import reading
from blueprints.guard import who
from blueprints.hypermedia import render_page
from blueprints.runs.list_query import filters_only
from blueprints.saved_views import bp
from blueprints.saved_views.pages import Typed, ViewsPage
from engine.services.saved_views import views_of


@bp.get("")
def index() -> Response:
    return render_views(filters_only(request.args.get("query", "")))


def render_views(
    query: str, *, typed: Typed | None = None, message: str | None = None, status: int = 200
) -> Response:
    with reading() as session:
        views = views_of(session, who().operator_id)
    page = ViewsPage(views, query, typed, message)
    return render_page(
        "saved_views/list.html", "saved_views/_saved-views.html", status=status, page=page
    )
