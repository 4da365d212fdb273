"""POST /runs/selection: what is ticked on a page of the list is kept for the operator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import Response, request, url_for

from blueprints.bulk import bp
from blueprints.extensions import services
from blueprints.guard import needs, who
from blueprints.hypermedia import render_page, see_other, wants_fragment
from blueprints.runs.list_query import normal_query
from blueprints.runs.selection_bar import selection_bar
from engine.errors import Conflict, NotFound
from engine.runs.roles import Role
from engine.services.entered import run_id_of
from engine.services.select_runs import deselect, keep_page

OPERATION: Final = "workflow_run_select"
_MOST_AT_ONCE: Final = 1000


@bp.post("/selection")
@needs(Role.OPERATOR, OPERATION)
def select() -> Response:
    """`run`: ticked; `shown`: all of the page. `clear` forgets the whole selection."""
    message = None
    try:
        if request.form.get("clear"):
            deselect(services(), who().operator_id)
        else:
            keep_ticked()
    except Conflict as error:
        if not wants_fragment():
            raise
        message = error.message
    back = normal_query(request.form.get("go") or request.form.get("back", ""))
    if not wants_fragment():
        return see_other(url_for("runs.index") + (f"?{back}" if back else ""))
    bar = selection_bar(normal_query(request.form.get("query", "")), back, message=message)
    status = 409 if message else 200
    return render_page(
        "bulk/selection.html", "bulk/_bulk-selection.html", status=status, selection=bar
    )


def keep_ticked() -> int:
    """Raises `Conflict`: the selection is full."""
    shown, chosen = (_ids(request.form.getlist(name)) for name in ("shown", "run"))
    return keep_page(services(), who().operator_id, shown, chosen)


def _ids(given: Iterable[str]) -> list[str]:
    """Those that could be ids; the database knows which are."""
    found = []
    for text in list(given)[:_MOST_AT_ONCE]:
        try:
            found.append(run_id_of(text))
        except NotFound:
            continue
    return found
