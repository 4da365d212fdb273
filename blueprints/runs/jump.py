"""GET /runs/jump: from the beginning of an id to its run."""

from __future__ import annotations

from flask import Response, request, url_for

from blueprints.extensions import reading, services
from blueprints.hypermedia import see_other
from blueprints.runs import bp
from blueprints.runs.filters import ListFilters
from engine.services.find_runs import first_runs
from engine.services.run_filter import RunFilter


@bp.get("/jump")
def jump() -> Response:
    """To the one run whose id, or key, begins so; where none or several do, to their list."""
    now = services().now()
    text = ListFilters.of(request.args, {}, now).wanted.text
    if text is None:
        return see_other(url_for("runs.index"))
    with reading() as session:
        rows = first_runs(session, RunFilter(text=text), now, limit=2)
    if len(rows) == 1:
        return see_other(url_for("runs.show", run_id=rows[0].run_id))
    return see_other(url_for("runs.index", q=text))
