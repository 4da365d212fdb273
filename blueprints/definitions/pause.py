"""POST /workflows/<key>/pause and /unpause: whether new runs of a workflow are accepted."""

from __future__ import annotations

from flask import Response, request, url_for

from blueprints.definitions import bp
from blueprints.definitions.browse import show_page
from blueprints.extensions import services
from blueprints.guard import actor, needs
from blueprints.hypermedia import see_other
from blueprints.runs.forms import ReasonForm
from engine.errors import Invalid
from engine.runs.roles import Role
from engine.services.pause_definition import (
    PAUSE,
    UNPAUSE,
    pause_definition,
    unpause_definition,
)


@bp.post("/<key>/pause")
@needs(Role.ADMIN, PAUSE)
def pause(key: str) -> Response:
    """Asks why; the page then says it to whoever wants to start a run."""
    form = ReasonForm.of(request.form)
    if form.problems:
        return show_page(key, form, 422)
    try:
        pause_definition(services(), key, actor(), form.reason)
    except Invalid as error:
        return show_page(key, form.refused(error), 422)
    return see_other(url_for("definitions.show", key=key))


@bp.post("/<key>/unpause")
@needs(Role.ADMIN, UNPAUSE)
def unpause(key: str) -> Response:
    unpause_definition(services(), key, actor())
    return see_other(url_for("definitions.show", key=key))
