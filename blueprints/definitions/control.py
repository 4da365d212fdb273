"""POST /workflows/<key>/run: start a run of the published workflow."""

from __future__ import annotations

from flask import Response, request, url_for

from blueprints.definitions import bp
from blueprints.definitions.browse import OPERATION, load_workflow, new_token, render_dialog
from blueprints.definitions.pages import filled_dialog
from blueprints.definitions.payload_fields import read_fields
from blueprints.definitions.payload_form import PayloadForm, make_form
from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import services
from blueprints.guard import actor, needs
from blueprints.hypermedia import see_other
from engine.errors import Invalid, Problem, RunStudioError
from engine.runs.payload import Payload
from engine.runs.roles import Role
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.services.show_definition import WorkflowView


@bp.post("/<key>/run")
@needs(Role.OPERATOR, OPERATION)
def run(key: str) -> Response:
    """On success the browser is on the new run's page; else on the form, as it was sent."""
    workflow = load_workflow(key)
    form = make_form(workflow.payload_schema)
    try:
        payload = _payload(form)
        launched = launch_published_workflow_run(
            services(),
            LaunchRequest(
                workflow_key=workflow.key,
                payload=payload,
                actor=actor(),
                token=request.form.get("token") or None,
            ),
        )
    except RunStudioError as error:
        if status_of(error) in {404, 500}:
            raise
        return _again(workflow, form, error)
    return see_other(url_for("runs.show", run_id=launched.run_id))


def _payload(form: PayloadForm) -> Payload:
    """Raw JSON where some was typed, else what the fields mean. Raises `Invalid`."""
    raw = request.form.get("payload", "")
    if raw.strip():
        return Payload.parse(raw)
    if form.raw_only:
        raise Invalid(
            "The payload is missing.", [Problem("", "Type a JSON object, {} for an empty one.")]
        )
    value, problems = read_fields(form, request.form)
    if problems:
        raise Invalid("Some of the fields cannot be read.", problems)
    return Payload.of(value)


def _again(workflow: WorkflowView, form: PayloadForm, error: RunStudioError) -> Response:
    page = filled_dialog(
        workflow,
        form,
        new_token(),
        request.form,
        message=error.message,
        problems=error.problems if isinstance(error, Invalid) else (),
    )
    return with_retry_after(render_dialog(page, status_of(error)), error)
