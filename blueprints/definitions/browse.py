"""GET /workflows, /workflows/<key>, and the Run dialog /workflows/<key>/run."""

from __future__ import annotations

import secrets

from flask import Response

from blueprints.definitions import bp
from blueprints.definitions.pages import DefinitionPage, DefinitionsPage, RunDialog
from blueprints.extensions import lookout, reading, rules, services
from blueprints.guard import needs, who
from blueprints.hypermedia import render_page
from blueprints.runs.forms import ReasonForm
from blueprints.schema_form.fields import make_form
from blueprints.schema_form.view import blank
from engine.runs.roles import Role
from engine.services.find_definitions import list_definitions
from engine.services.look_ahead import Ahead
from engine.services.show_definition import WorkflowView, show_definition

OPERATION = "workflow_run_start"


@bp.get("")
def index() -> Response:
    with reading() as session:
        rows = tuple(list_definitions(session))
    page = DefinitionsPage(rows, may_run=who().may(Role.OPERATOR))
    return render_page("definitions/list.html", "definitions/_workflow-list.html", page=page)


@bp.get("/<key>")
def show(key: str) -> Response:
    return show_page(key)


@bp.get("/<key>/run")
@needs(Role.OPERATOR, OPERATION)
def ask_run(key: str) -> Response:
    """What a run needs, as a form; every rendering has a token of its own."""
    workflow = load_workflow(key)
    form = blank(make_form(workflow.payload_schema))
    return render_dialog(RunDialog(workflow, new_token(), form, look_ahead(workflow)))


def show_page(key: str, form: ReasonForm | None = None, status: int = 200) -> Response:
    """`form`: why it was to be paused, as it was sent."""
    page = DefinitionPage(
        load_workflow(key),
        may_run=who().may(Role.OPERATOR),
        may_pause=who().may(Role.ADMIN),
        form=form or ReasonForm(),
    )
    return render_page(
        "definitions/page.html", "definitions/_workflow.html", status=status, page=page
    )


def load_workflow(key: str) -> WorkflowView:
    with reading() as session:
        return show_definition(session, key, rules())


def look_ahead(workflow: WorkflowView) -> Ahead | None:
    """Of a workflow that cannot be run the page says so; the rest does not matter."""
    return lookout().look(services()) if workflow.runnable else None


def new_token() -> str:
    return secrets.token_urlsafe(24)


def render_dialog(page: RunDialog, status: int = 200) -> Response:
    return render_page(
        "definitions/run.html", "definitions/_run-form.html", status=status, page=page
    )
