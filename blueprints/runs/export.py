"""GET /runs/<id>/export: a run and the runs that it called as a signed JSON file, redacted.

`?history=1` adds their histories from Temporal, encrypted: for who may reveal, and audited.
"""

from __future__ import annotations

from flask import Response, request

from blueprints.downloads import json_download
from blueprints.extensions import services, signer
from blueprints.guard import actor, needs
from blueprints.runs import bp
from engine.contract import Json
from engine.runs.export_manifest import file_text
from engine.runs.roles import Role
from engine.services.entered import run_id_of
from engine.services.export_run import EXPORT_HISTORY, export_run


@bp.get("/<run_id>/export")
def export(run_id: str) -> Response:
    run_id = run_id_of(run_id)
    if request.args.get("history", "") in {"", "0"}:
        return _file(run_id, export_run(services(), run_id, actor(), signer()))
    return _with_history(run_id=run_id)


@needs(Role.ADMIN, EXPORT_HISTORY)
def _with_history(run_id: str) -> Response:
    return _file(run_id, export_run(services(), run_id, actor(), signer(), histories=True))


def _file(run_id: str, document: dict[str, Json]) -> Response:
    return json_download(f"run-{run_id}", file_text(document))
