"""GET and POST /runs/<id>/replay (docs/rules.md 8).

Unedited, the form carries no payload at all and the server takes the original. Edited, it carries
the redacted text, or the fields of a form over it, and the hash of what was shown.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from flask import Response, request, url_for

from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import lookout, reading, rules, services
from blueprints.guard import actor, needs
from blueprints.hypermedia import render_page, see_other
from blueprints.runs import bp
from blueprints.runs.forms import reason_problems
from blueprints.runs.replay_page import Editing, ReplayPage, blank_page, form_of, page_as_sent
from blueprints.schema_form import edit
from engine.errors import Conflict, Invalid, NotFound, Problem, RunStudioError
from engine.runs.roles import Role
from engine.services.entered import run_id_of
from engine.services.inspect_run import open_run
from engine.services.replay_run import replay_run

OPERATION = "workflow_run_replay"
_NO_SUCH_VERSION: Final = Problem("version", "Choose one of the versions.")
_LONGEST_VERSION: Final = 9
"""Digits."""


@bp.get("/<run_id>/replay")
@needs(Role.OPERATOR, OPERATION)
def ask_replay(run_id: str) -> Response:
    """Reason and button; with `?edit=1` also the payload, redacted; `?edit=form`: as a form.

    `?version=N` chooses a version beforehand, and tells what changed up to it.
    """
    wanted = request.args.get("edit", "")
    editing = Editing(wanted) if wanted in list(Editing) else Editing.NOT
    with reading() as session:
        opened = open_run(session, run_id_of(run_id), rules())
        page = blank_page(opened, editing, _number(request.args.get("version", "")))
    return _render(page, 200)


@bp.post("/<run_id>/replay")
@needs(Role.OPERATOR, OPERATION)
def replay(run_id: str) -> Response:
    """On success the browser is on the new run's page."""
    run_id = run_id_of(run_id)
    reason = request.form.get("reason", "")
    faults = [Problem(name, message) for name, message in reason_problems(reason).items()]
    version = _version(faults)
    text = _payload_text(run_id, faults)
    if faults:
        return _again(run_id, 422, None, tuple(faults))
    try:
        launched = replay_run(
            services(),
            run_id,
            actor(),
            reason,
            payload_text=text,
            shown=request.form.get("shown"),
            version=version,
            token=request.form.get("token") or None,
        )
    except Invalid as error:
        return _again(run_id, 422, error.message, tuple(error.problems))
    except NotFound as error:
        if error.code != "VERSION_NOT_FOUND":
            raise
        return _again(run_id, 422, None, (_NO_SUCH_VERSION,))
    except Conflict as error:
        changed = error.code == "SHOWN_CHANGED"
        return _again(run_id, 409, error.message, (), compare=changed)
    except RunStudioError as error:
        status = status_of(error)
        if status in {404, 500}:
            raise
        return with_retry_after(_again(run_id, status, error.message, ()), error)
    return see_other(url_for("runs.show", run_id=launched.run_id))


def _editing() -> Editing:
    """How the payload that was sent had been edited."""
    if "payload" in request.form:
        return Editing.JSON
    return Editing.FORM if request.form.get("edited") == Editing.FORM else Editing.NOT


def _payload_text(run_id: str, faults: list[Problem]) -> str | None:
    """The edited payload, masked as it was shown; None: the original is wanted."""
    if _editing() is not Editing.FORM:
        return request.form.get("payload")
    with reading() as session:
        opened = open_run(session, run_id, rules())
        value = opened.redaction.payload(opened.run.input_json).value
        form = form_of(opened, value)
    edited, problems = edit.changed(form, value, request.form)
    faults += problems
    return json.dumps(edited)


def _version(faults: list[Problem]) -> int | None:
    """The chosen version; None: the old run's."""
    text = request.form.get("version", "").strip()
    number = _number(text)
    if text and number is None:
        faults.append(_NO_SUCH_VERSION)
    return number


def _number(text: str) -> int | None:
    fits = text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION
    return int(text) if fits else None


def _again(
    run_id: str,
    status: int,
    message: str | None,
    problems: tuple[Problem, ...],
    *,
    compare: bool = False,
) -> Response:
    with reading() as session:
        opened = open_run(session, run_id, rules())
        page = page_as_sent(opened, request.form, _editing(), problems, message, compare=compare)
    return _render(page, status)


def _render(page: ReplayPage, status: int) -> Response:
    """Looks at Temporal: not to be called inside a transaction."""
    page = replace(page, ahead=lookout().look(services()))
    return render_page("runs/replay.html", "runs/_run-replay.html", status=status, page=page)
