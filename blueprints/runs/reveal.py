"""GET and POST /runs/<id>/reveal: a run's payload unmasked (docs/architecture.md 4).

It is in the answer to the form and nowhere else: no address shows it, no cache keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Response, request

from blueprints.extensions import reading, rules, services
from blueprints.guard import actor, needs
from blueprints.hypermedia import render_page
from blueprints.runs import bp
from blueprints.runs.forms import ReasonForm
from engine.errors import Invalid
from engine.runs.roles import Role
from engine.runs.status import RunStatus
from engine.services.entered import run_id_of
from engine.services.inspect_run import open_run
from engine.services.reveal_run import REVEAL, Revealed, reveal_run


@dataclass(frozen=True, slots=True)
class RevealPage:
    run_id: str
    status: RunStatus
    workflow_name: str
    form: ReasonForm
    revealed: Revealed | None = None
    """None: it asks why."""


@bp.get("/<run_id>/reveal")
@needs(Role.ADMIN, REVEAL)
def ask_reveal(run_id: str) -> Response:
    return _render(_asking(run_id, ReasonForm()))


@bp.post("/<run_id>/reveal")
@needs(Role.ADMIN, REVEAL)
def reveal(run_id: str) -> Response:
    """What is shown is in the audit log already."""
    page = _asking(run_id, ReasonForm.of(request.form))
    if page.form.problems:
        return _render(page, 422)
    try:
        revealed = reveal_run(services(), page.run_id, actor(), page.form.reason)
    except Invalid as error:
        return _render(replace(page, form=page.form.refused(error)), 422)
    return _render(replace(page, revealed=revealed))


def _asking(run_id: str, form: ReasonForm) -> RevealPage:
    """Raises `NotFound`."""
    with reading() as session:
        opened = open_run(session, run_id_of(run_id), rules())
        run = opened.run
        return RevealPage(run.run_id, RunStatus(run.status), opened.row.name, form)


def _render(page: RevealPage, status: int = 200) -> Response:
    return render_page("runs/reveal.html", "runs/_run-reveal.html", status=status, page=page)
