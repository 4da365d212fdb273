"""`flask definitions simulate`."""

from __future__ import annotations

from tests.integration.commands.conftest import CommandLine

STEPS = [
    {
        "id": "wait",
        "type": "time.wait",
        "config": {"mode": "duration", "durationMs": 86_400_000},
    },
    {
        "id": "send",
        "type": "action.call",
        "config": {
            "actionId": "http.request",
            "version": 1,
            "inputMapping": {"method": "GET", "url": {"$expr": "payload.url"}},
            "saveAs": "answer",
        },
    },
]
DOCUMENT = {"id": "dry", "name": "Dry", "steps": STEPS}


def test_it_prints_the_trace_and_ends_as_the_run_would(flask: CommandLine) -> None:
    file = flask.file(DOCUMENT)
    stubs = flask.file({"send": {"status": 200, "headers": {}, "body": 5}}, "stubs.json")
    done = flask.json("definitions", "simulate", file, "--payload", '{"url": "u"}',
                    "--stubs", f"@{stubs}")  # fmt: skip
    assert done["status"] == "completed"
    assert done["finalVars"]["answer"]["body"] == 5

    shown = flask("definitions", "simulate", file, "--payload", '{"url": "u"}').stdout
    assert shown.splitlines()[1].split() == ["wait", "time.wait", "1", "SUCCEEDED", "executed"]
    assert "send" in shown


def test_it_fails_as_the_run_would_and_refuses_what_publishing_refuses(flask: CommandLine) -> None:
    failing = '{"send": {"$error": {"message": "no"}}}'
    file = flask.file(DOCUMENT)
    flask("definitions", "simulate", file, "--payload", '{"url": "u"}', "--stubs", failing, code=1)
    flask("definitions", "simulate", file, "--stubs", "[]", code=2)
    flask("definitions", "simulate", file, "--stubs", '{"x": {"$error": 1}}', code=3)
    bad = flask.file(DOCUMENT | {"steps": [{"id": "x", "type": "nope"}]}, "bad.json")
    refused = flask("definitions", "simulate", bad, code=3)
    assert "UNKNOWN_NODE_TYPE" in refused.stderr
