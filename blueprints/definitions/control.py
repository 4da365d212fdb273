"""POST /workflows/<key>/run: start a run of the published workflow."""

from __future__ import annotations

from flask import Response, request, url_for

from blueprints.definitions import bp
from blueprints.definitions.browse import (
    OPERATION,
    load_workflow,
    look_ahead,
    new_token,
    render_dialog,
)
from blueprints.definitions.pages import RunDialog
from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import services
from blueprints.guard import actor, needs
from blueprints.hypermedia import see_other
from blueprints.schema_form.fields import SchemaForm, make_form
from blueprints.schema_form.typed import read_form
from blueprints.schema_form.view import filled
from engine.errors import Invalid, RunStudioError
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
        payload = read_form(form, request.form)
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


def _again(workflow: WorkflowView, form: SchemaForm, error: RunStudioError) -> Response:
    problems = error.problems if isinstance(error, Invalid) else ()
    typed = filled(form, request.form, problems)
    page = RunDialog(workflow, new_token(), typed, look_ahead(workflow), error.message)
    return with_retry_after(render_dialog(page, status_of(error)), error)
