"""GET /runs/<id>/export: everything about a run as a JSON file, redacted."""

from __future__ import annotations

import json

from flask import Response

from blueprints.extensions import reading, rules, services
from blueprints.runs import bp
from engine.services.entered import run_id_of
from engine.services.export_run import export_run


@bp.get("/<run_id>/export")
def export(run_id: str) -> Response:
    run_id = run_id_of(run_id)
    with reading() as session:
        document = export_run(session, run_id, rules(), services().now())
    response = Response(
        json.dumps(document, indent=2, ensure_ascii=False) + "\n", mimetype="application/json"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="run-{run_id}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response
