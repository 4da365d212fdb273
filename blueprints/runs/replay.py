"""GET and POST /runs/<id>/replay (docs/rules.md 8).

Unedited, the form carries no payload at all and the server takes the original. Edited, it carries
the redacted text and the hash of what was shown.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Final

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import lookout, reading, rules, services
from blueprints.guard import actor, needs
from blueprints.hypermedia import render_page, see_other
from blueprints.runs import bp
from blueprints.runs.forms import reason_problems
from blueprints.runs.pages import ReplayPage
from engine.errors import Conflict, Invalid, NotFound, Problem, RunStudioError
from engine.runs.roles import Role
from engine.runs.status import RunStatus
from engine.services.entered import run_id_of
from engine.services.find_definitions import list_versions
from engine.services.inspect_run import OpenedRun, open_run
from engine.services.replay_run import replay_run
from engine.services.side_effects import side_effects_of

OPERATION = "workflow_run_replay"
_NO_SUCH_VERSION: Final = Problem("version", "Choose one of the versions.")
_LONGEST_VERSION: Final = 9
"""Digits."""


@bp.get("/<run_id>/replay")
@needs(Role.OPERATOR, OPERATION)
def ask_replay(run_id: str) -> Response:
    """Reason and button; with `?edit=1` also the payload, redacted."""
    with reading() as session:
        page = _blank(_opened(session, run_id), editing=request.args.get("edit") == "1")
    return _render(replace(page, ahead=lookout().look(services())), 200)


@bp.post("/<run_id>/replay")
@needs(Role.OPERATOR, OPERATION)
def replay(run_id: str) -> Response:
    """On success the browser is on the new run's page."""
    run_id = run_id_of(run_id)
    reason, text = request.form.get("reason", ""), request.form.get("payload")
    faults = [Problem(name, message) for name, message in reason_problems(reason).items()]
    version = _version(faults)
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


def _version(faults: list[Problem]) -> int | None:
    """The chosen version; None: the old run's."""
    text = request.form.get("version", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION:
        return int(text)
    faults.append(_NO_SUCH_VERSION)
    return None


def _opened(session: Session, run_id: str) -> OpenedRun:
    return open_run(session, run_id_of(run_id), rules())


def _blank(opened: OpenedRun, *, editing: bool) -> ReplayPage:
    payload = opened.redaction.payload(opened.run.input_json) if editing else None
    session, run = opened.session, opened.run
    versions = tuple(row.version for row in list_versions(session, run.workflow_id))
    return ReplayPage(
        run_id=run.run_id,
        workflow_name=opened.row.name,
        workflow_version=run.workflow_version,
        status=RunStatus(run.status),
        token=secrets.token_urlsafe(24),
        effects=tuple(side_effects_of(session, [run.run_id]).get(run.run_id, ())),
        versions=versions if set(versions) - {run.workflow_version} else (),
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
    chosen = request.form.get("version", "")
    page = replace(
        fresh,
        ahead=lookout().look(services()),
        version=int(chosen) if chosen in map(str, fresh.versions) else None,
        reason=request.form.get("reason", ""),
        payload=request.form.get("payload", ""),
        shown=fresh.shown if compare else request.form.get("shown", ""),
        now_shown=fresh.payload if compare else None,
        message=message,
        problems=problems,
    )
    return _render(page, status)


def _render(page: ReplayPage, status: int) -> Response:
    return render_page("runs/replay.html", "runs/_run-replay.html", status=status, page=page)
