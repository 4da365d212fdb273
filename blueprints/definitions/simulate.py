"""POST /workflows/<key>/simulate: a dry run, JSON in and JSON out. There is no page of it."""

from __future__ import annotations

from typing import Final

from flask import Response, jsonify, request

from blueprints.definitions import bp
from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import services
from blueprints.guard import actor, needs
from engine.contract import Json
from engine.definitions.document import MAX_JSON_DEPTH
from engine.errors import Invalid, Problem, RunStudioError
from engine.runs import strict_json
from engine.runs.payload import Payload
from engine.runs.roles import Role
from engine.services.publish_definition import DocumentRefused
from engine.services.simulate_definition import SimulationRequest, simulate_definition

OPERATION: Final = "workflow_simulate"

_FIELDS: Final = {"definition", "payload", "stubs", "options"}


@bp.post("/<key>/simulate")
@needs(Role.OPERATOR, OPERATION)
def simulate(key: str) -> Response:
    """The body: {definition?, payload?, stubs?, options?}; without a definition the published."""
    try:
        asked = _read(key, request.get_data())
        return jsonify(simulate_definition(services(), asked, actor()).as_data())
    except RunStudioError as error:
        return _refusal(error)


def _read(key: str, body: bytes) -> SimulationRequest:
    """Raises `Invalid`."""
    given = strict_json.parse(body or b"{}", max_depth=MAX_JSON_DEPTH + 1)
    if not isinstance(given, dict):
        raise Invalid("The body is no object.", [Problem("", "An object is wanted.")])
    problems = [Problem(f"/{name}", "There is no such field.") for name in given.keys() - _FIELDS]
    problems += [
        Problem(f"/{name}", "An object is wanted.")
        for name in _FIELDS & given.keys()
        if not isinstance(given[name], dict)
    ]
    if problems:
        raise Invalid("The request cannot be used.", sorted(problems, key=lambda one: one.pointer))
    return SimulationRequest(
        document=given.get("definition"),
        key=key,
        payload=Payload(given["payload"]) if "payload" in given else None,
        stubs=given.get("stubs", {}),
        options=given.get("options", {}),
    )


def _refusal(error: RunStudioError) -> Response:
    said: dict[str, Json] = {"code": error.code, "message": error.message}
    if isinstance(error, Invalid):
        said["problems"] = [
            {"pointer": one.pointer, "message": one.message, "code": one.code}
            for one in error.problems
        ]
    if isinstance(error, DocumentRefused):
        said["findings"] = [finding.as_data() for finding in error.findings]
    response = jsonify({"error": said})
    response.status_code = status_of(error)
    return with_retry_after(response, error)
