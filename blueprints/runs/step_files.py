"""GET /runs/<id>/steps/<part>?step=: what is known of one step, as a file, redacted."""

from __future__ import annotations

import json
import re

from flask import Response, request

from blueprints.downloads import json_download
from blueprints.extensions import reading, rules
from blueprints.runs import bp
from blueprints.runs.forms import position
from engine.contract import Json
from engine.errors import NotFound
from engine.services.entered import run_id_of
from engine.services.inspect_run import OpenedRun, open_run
from engine.services.inspect_step import details_of, find_step
from engine.services.run_record import call_record, error_record, log_record, step_record
from engine.services.run_views import OccurrenceView, StepView


@bp.get("/<run_id>/steps/<part>")
def step_file(run_id: str, part: str) -> Response:
    """`part`: input, output, error (of `attempt`, the last by default), attempts, calls, logs."""
    run_id, key = run_id_of(run_id), request.args.get("step", "")
    attempt = position(request.args.get("attempt"))
    with reading() as session:
        opened = open_run(session, run_id, rules())
        opened.learn()
        content = _part(opened, find_step(opened, key), part, attempt)
    name = "-".join(["run", run_id[:8], key, *([str(attempt)] if attempt else []), part])
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return json_download(re.sub(r"[^A-Za-z0-9.-]+", "-", name), text)


def _part(opened: OpenedRun, found: OccurrenceView, part: str, attempt: int | None) -> Json:
    match part:
        case "attempts":
            return [step_record(one) for one in found.attempts]
        case "calls":
            return [call_record(call) for call in details_of(opened, found, most=None).calls]
        case "logs":
            return [log_record(line) for line in details_of(opened, found, most=None).logs]
    one = _attempt(found, attempt)
    value = {"input": one.input, "output": one.output}.get(part)
    if value is not None:
        return value.value
    if part == "error" and one.error is not None:
        return error_record(one.error)
    raise NotFound(f"This step has no {part[:40]}.", code="STEP_HAS_NONE")


def _attempt(found: OccurrenceView, number: int | None) -> StepView:
    for one in found.attempts:
        if number == one.attempt:
            return one
    if number is None:
        return found.last
    raise NotFound(f"This step was not attempted {number} times.", code="STEP_NOT_FOUND")
