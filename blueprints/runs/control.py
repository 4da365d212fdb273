"""POST /runs/<id>/cancel: ask for a run's cancellation, or stop it now."""

from __future__ import annotations

from flask import Response, request, url_for

from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import reading, rules, services
from blueprints.guard import actor, needs
from blueprints.hypermedia import render_page, see_other, swap_into, wants_fragment
from blueprints.runs import bp
from blueprints.runs.browse import banner_page, explained, live_tag, load_page
from blueprints.runs.forms import ReasonForm
from engine.errors import Conflict, Invalid, RunStudioError, Unavailable
from engine.runs.roles import Role
from engine.services.cancel_run import OPERATION, cancel_run
from engine.services.entered import run_id_of
from engine.services.glance_run import glance_at_run
from engine.services.inspect_run import open_run

LIVE = "#run-live"


@bp.post("/<run_id>/cancel")
@needs(Role.OPERATOR, OPERATION)
def cancel(run_id: str) -> Response:
    """`force=1` stops it without clean-up, where that is offered."""
    run_id = run_id_of(run_id)
    form = ReasonForm.of(request.form)
    if form.problems:
        return _show(run_id, form, status=422)
    try:
        cancel_run(services(), run_id, actor(), form.reason, force=form.force)
    except Invalid as error:
        return _show(run_id, form.refused(error), status=422)
    except (Conflict, Unavailable) as error:
        return with_retry_after(_show_failure(run_id, form, error), error)
    if not wants_fragment():
        return see_other(url_for("runs.show", run_id=run_id))
    return _show(run_id, ReasonForm(), status=200)


def _show_failure(run_id: str, form: ReasonForm, error: RunStudioError) -> Response:
    return _show(run_id, form, status=status_of(error), message=error.message)


def _show(run_id: str, form: ReasonForm, *, status: int, message: str | None = None) -> Response:
    """The run as it is now, with the form as it was sent."""
    with reading() as session:
        glance = glance_at_run(session, run_id, services().now())
    why = explained(glance)
    with reading() as session:
        page = load_page(
            open_run(session, run_id, rules()), glance, why, form=form, message=message
        )
    tag = live_tag(glance, why) if status == 200 else None
    response = render_page(
        "runs/page.html",
        "runs/_run-live.html",
        status=status,
        tag=tag,
        page=page,
        banner=banner_page(glance, why),
    )
    return swap_into(response, LIVE)
