"""POST /waits/<id>/release: have a run that waits for quota ask for it again."""

from __future__ import annotations

from flask import Response, url_for

from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import services
from blueprints.guard import actor, needs
from blueprints.hypermedia import see_other
from blueprints.waits import bp
from blueprints.waits.browse import load_waits, render_waits
from engine.errors import Conflict, RunStudioError, Unavailable
from engine.runs.roles import Role
from engine.services.release_quota import OPERATION, release_quota


@bp.post("/<wait_id>/release")
@needs(Role.OPERATOR, OPERATION)
def release(wait_id: str) -> Response:
    """On success the browser is on the run's page; else on the inbox, which says why not."""
    try:
        receipt = release_quota(services(), wait_id, actor())
    except (Conflict, Unavailable) as error:
        return _refused(error)
    return see_other(url_for("runs.show", run_id=receipt.run_id))


def _refused(error: RunStudioError) -> Response:
    page = load_waits(problems=[error.message])
    return with_retry_after(render_waits(page, status_of(error)), error)
