"""GET and POST /runs/<id>/replay (docs/rules.md 8).

Unedited, the form carries no payload at all and the server takes the original. Edited, it carries
the redacted text and the hash of what was shown.
"""

from __future__ import annotations

import secrets

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import reading, rules, services
from blueprints.guard import actor, needs
from blueprints.hypermedia import render_page, see_other
from blueprints.runs import bp
from blueprints.runs.forms import reason_problems
from blueprints.runs.pages import ReplayPage
from engine.errors import Conflict, Invalid, Problem, RunStudioError
from engine.runs.roles import Role
from engine.runs.status import RunStatus
from engine.services.entered import run_id_of
from engine.services.inspect_run import OpenedRun, open_run
from engine.services.replay_run import replay_run

OPERATION = "workflow_run_replay"


@bp.get("/<run_id>/replay")
@needs(Role.OPERATOR, OPERATION)
def ask_replay(run_id: str) -> Response:
    """Reason and button; with `?edit=1` also the payload, redacted."""
    with reading() as session:
        page = _blank(_opened(session, run_id), editing=request.args.get("edit") == "1")
    return _render(page, 200)


@bp.post("/<run_id>/replay")
@needs(Role.OPERATOR, OPERATION)
def replay(run_id: str) -> Response:
    """On success the browser is on the new run's page."""
    run_id = run_id_of(run_id)
    reason, text = request.form.get("reason", ""), request.form.get("payload")
    problems = reason_problems(reason)
    if problems:
        faults = tuple(Problem(name, message) for name, message in problems.items())
        return _again(run_id, 422, None, faults)
    try:
        launched = replay_run(
            services(),
            run_id,
            actor(),
            reason,
            payload_text=text,
            shown=request.form.get("shown"),
            token=request.form.get("token") or None,
        )
    except Invalid as error:
        return _again(run_id, 422, error.message, tuple(error.problems))
    except Conflict as error:
        changed = error.code == "SHOWN_CHANGED"
        return _again(run_id, 409, error.message, (), compare=changed)
    except RunStudioError as error:
        status = status_of(error)
        if status in {404, 500}:
            raise
        return with_retry_after(_again(run_id, status, error.message, ()), error)
    return see_other(url_for("runs.show", run_id=launched.run_id))


def _opened(session: Session, run_id: str) -> OpenedRun:
    return open_run(session, run_id_of(run_id), rules())


def _blank(opened: OpenedRun, *, editing: bool) -> ReplayPage:
    payload = opened.redaction.payload(opened.run.input_json) if editing else None
    return ReplayPage(
        run_id=opened.run.run_id,
        workflow_name=opened.row.name,
        workflow_version=opened.run.workflow_version,
        status=RunStatus(opened.run.status),
        token=secrets.token_urlsafe(24),
        editing=editing,
        payload=payload.text if payload else "",
        shown=payload.shown_hash if payload else "",
    )


def _again(
    run_id: str,
    status: int,
    message: str | None,
    problems: tuple[Problem, ...],
    *,
    compare: bool = False,
) -> Response:
    """The form as it was sent, with what is wrong, and a new token (docs/rules.md 2)."""
    editing = "payload" in request.form
    with reading() as session:
        fresh = _blank(_opened(session, run_id), editing=editing)
    page = ReplayPage(
        run_id=fresh.run_id,
        workflow_name=fresh.workflow_name,
        workflow_version=fresh.workflow_version,
        status=fresh.status,
        token=fresh.token,
        reason=request.form.get("reason", ""),
        editing=editing,
        payload=request.form.get("payload", ""),
        shown=fresh.shown if compare else request.form.get("shown", ""),
        now_shown=fresh.payload if compare else None,
        message=message,
        problems=problems,
    )
    return _render(page, status)


def _render(page: ReplayPage, status: int) -> Response:
    return render_page("runs/replay.html", "runs/_run-replay.html", status=status, page=page)
