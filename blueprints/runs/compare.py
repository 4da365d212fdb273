"""GET /runs/<id>/compare?with=<id>: two runs side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flask import Response, request

from blueprints.extensions import fingerprints, reading, rules
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
from engine.services.inspect_run import open_run

_LONGEST: Final = 400
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
            other, problem = _read(typed, run_id)
            status = 422 if problem else 200
        compared = None
        if other is not None:
            try:
                found = compare_runs(session, run_id, other, rules(), fingerprints())
                compared = compared_page(found, run_id)
            except NotFound:
                problem, status = f"There is no run {other}.", 404
        offered = offered_partners(session, run_id) if compared is None else ()
    shown = other if typed is None or compared else typed[:_LONGEST]
    page = ComparePage(run_id, name, shown or "", problem, compared, offered)
    return render_page("runs/compare.html", "runs/_run-compare.html", status=status, page=page)


def _read(typed: str, run_id: str) -> tuple[str | None, str | None]:
    """The id in what was typed or pasted, an address perhaps; or what is wrong with it."""
    if not typed.strip():
        return None, "Type or paste the id of the other run."
    found = _ID.findall(typed[:_LONGEST])
    if not found:
        return None, "This is no id of a run: it has 36 characters, digits and a to f."
    other = run_id_of(found[0])
    if other == run_id:
        return None, "This is the same run. Choose another one."
    return other, None
