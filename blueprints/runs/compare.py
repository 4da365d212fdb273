"""GET /runs/<id>/compare?with=<id>: two runs side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flask import Response, request
from sqlalchemy.orm import Session

from blueprints.extensions import fingerprints, reading, rules, services
from blueprints.hypermedia import render_page
from blueprints.runs import bp
from blueprints.runs.compared import ComparedPage, compared_page
from engine.errors import NotFound
from engine.services.compare_runs import (
    OfferedRun,
    compare_runs,
    offered_partners,
    usual_partner,
)
from engine.services.entered import run_id_of
from engine.services.find_runs import first_runs
from engine.services.inspect_run import open_run
from engine.services.run_filter import RunFilter

_LONGEST: Final = 400
_BEGINNING: Final = re.compile(r"(?i)[0-9a-f]{6,8}(-[0-9a-f-]{0,26})?")
"""As the pages show ids."""
_MANY: Final = "Several runs have an id that begins so. Type more of it."
_ID: Final = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ComparePage:
    run_id: str
    workflow_name: str
    typed: str
    problem: str | None
    compared: ComparedPage | None
    offered: tuple[OfferedRun, ...]
    """Runs to choose from, while none is chosen."""


@bp.get("/<run_id>/compare")
def compare(run_id: str) -> Response:
    """Without `with`: with the run that it replays, or its newest replay, where there is one."""
    run_id = run_id_of(run_id)
    typed = request.args.get("with")
    with reading() as session:
        name = open_run(session, run_id, rules()).row.name
        other = usual_partner(session, run_id) if typed is None else None
        problem, status = None, 200
        if typed is not None:
            other, problem = _read(session, typed, run_id)
            status = 422 if problem else 200
        compared = None
        if other is not None:
            try:
                now = services().now()
                found = compare_runs(session, run_id, other, rules(), fingerprints(), now)
                compared = compared_page(found, run_id)
            except NotFound:
                problem, status = f"There is no run {other}.", 404
        offered = offered_partners(session, run_id) if compared is None else ()
    shown = other if typed is None or compared else typed[:_LONGEST]
    page = ComparePage(run_id, name, shown or "", problem, compared, offered)
    return render_page("runs/compare.html", "runs/_run-compare.html", status=status, page=page)


def _read(session: Session, typed: str, run_id: str) -> tuple[str | None, str | None]:
    """The id in what was typed or pasted, an address perhaps; or what is wrong with it."""
    text = typed[:_LONGEST].strip()
    if not text:
        return None, "Type or paste the id of the other run."
    whole = _ID.findall(text)
    if whole:
        other = run_id_of(whole[0])
    elif _BEGINNING.fullmatch(text):
        wanted = RunFilter(text=text.lower())
        begun = [row.run_id for row in first_runs(session, wanted, services().now(), limit=2)]
        if len(begun) != 1:
            return None, _MANY if begun else f"There is no run whose id begins with {text}."
        other = begun[0]
    else:
        return None, "This is no id of a run: it has 36 characters, digits and a to f."
    if other == run_id:
        return None, "This is the same run. Choose another one."
    return other, None
