"""`flask definitions`, `schemas` and `secrets` on a real database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.commands.conftest import CommandLine

STATE = {"id": "only", "type": "state.set", "config": {"state": "done"}}


def document(**fields: Any) -> dict[str, Any]:
    return {"id": "greet", "name": "Greet", "steps": [STATE]} | fields


def test_publish_prints_key_and_version_on_standard_output(flask: CommandLine) -> None:
    result = flask("definitions", "publish", flask.file(document()))
    assert result.stdout == "greet 1\n"
    assert "Published greet version 1." in result.stderr


def test_the_same_document_again_publishes_nothing_and_says_so(flask: CommandLine) -> None:
    path = flask.file(document())
    flask("definitions", "publish", path)
    result = flask("definitions", "publish", path)
    assert result.stdout == "greet 1\n"
    assert "already" in result.stderr
    assert flask.json("definitions", "publish", path)["already"] is True
    changed = flask.file(document(name="Greet well"))
    assert flask.json("definitions", "publish", changed) == {
        "published": True,
        "key": "greet",
        "version": 2,
        "already": False,
        "findings": [],
    }


def test_a_document_comes_from_standard_input_too(flask: CommandLine) -> None:
    assert flask("definitions", "publish", "-", input=json.dumps(document())).stdout == "greet 1\n"


def test_a_faulty_document_is_refused_with_every_finding(flask: CommandLine) -> None:
    faulty = document(steps=[STATE, STATE, {"id": "x", "type": "no.such"}])
    path = flask.file(faulty)
    result = flask("definitions", "publish", path, code=3)
    assert result.stdout == ""
    for code in ("DUPLICATE_STEP_ID", "root.steps[2]"):
        assert code in result.stderr
    found = json.loads(flask("definitions", "publish", path, "--json", code=3).stdout)
    assert found["published"] is False
    assert {"severity", "stepPath", "code", "message"} <= found["findings"][0].keys()
    assert flask.json("definitions", "list") == []


def test_check_writes_nothing_and_has_the_codes_of_publish(flask: CommandLine) -> None:
    good = flask.file(document())
    assert flask.json("definitions", "check", good) == {"ok": True, "findings": []}
    assert flask.json("definitions", "list") == []
    bad = flask.file(document(steps=[{"id": "x", "type": "no.such"}]))
    found = json.loads(flask("definitions", "check", bad, "--json", code=3).stdout)
    assert found["ok"] is False


@pytest.mark.parametrize("text", ["{", "[]", '"text"', '{"id": NaN}', ""])
@pytest.mark.parametrize("command", ["publish", "check"])
def test_what_is_no_document_is_refused(flask: CommandLine, command: str, text: str) -> None:
    result = flask("definitions", command, flask.file(text), code=3)
    assert result.stderr


def test_a_file_that_is_not_there_is_wrong_usage(flask: CommandLine) -> None:
    result = flask("definitions", "publish", "no-such.json", code=2)
    assert "no-such.json" in result.stderr
    flask("definitions", "publish", code=2)
    flask("definitions", "nothing", code=2)


def test_a_published_version_never_changes(flask: CommandLine) -> None:
    flask("definitions", "publish", flask.file(document(version=3)))
    result = flask("definitions", "publish", flask.file(document(version=3, name="X")), code=3)
    assert "never changes" in result.stderr


def test_list_shows_workflows_and_states(flask: CommandLine) -> None:
    assert flask("definitions", "list").stdout == ""
    flask("definitions", "publish", flask.file(document()))
    [row] = flask.json("definitions", "list")
    assert (row["key"], row["version"], row["state"], row["openRuns"]) == (
        "greet", 1, "published", 0,
    )  # fmt: skip
    lines = flask("definitions", "list").stdout.splitlines()
    assert lines[0].split()[:3] == ["KEY", "VERSION", "STATE"]
    assert lines[1].split()[:3] == ["greet", "1", "published"]


def test_a_schema_is_added_once_and_named_by_documents(flask: CommandLine) -> None:
    schema = flask.file({"type": "object", "required": ["n"]}, "schema.json")
    named = flask.file(document(payloadSchemaRef="payload.Ticket.v1"))
    result = flask("definitions", "publish", named, code=3)
    assert "UNKNOWN_PAYLOAD_SCHEMA_REF" in result.stderr
    assert "Added" in flask("schemas", "add", "payload.Ticket.v1", schema).stderr
    assert "no change" in flask("schemas", "add", "payload.Ticket.v1", schema).stderr
    flask("definitions", "publish", named)
    other = flask.file({"type": "object"}, "other.json")
    flask("schemas", "add", "payload.Ticket.v1", other, code=3)
    flask("schemas", "add", "x", flask.file("{", "broken.json"), code=3)


def asks(name: str) -> dict[str, Any]:
    return {
        "id": f"call-{name.lower()}",
        "type": "action.call",
        "config": {
            "actionId": "http.request",
            "version": 1,
            "inputMapping": {
                "method": "GET",
                "url": "https://a.example/",
                "headers": {"authorization": {"$secret": name}},
            },
        },
    }


def test_secrets_check_says_which_are_missing_and_never_a_value(flask: CommandLine) -> None:
    assert "No published workflow" in flask("secrets", "check").stderr
    flask.publish(asks("PIN"), key="one")
    assert flask.json("secrets", "check") == [{"name": "PIN", "found": True, "workflows": ["one"]}]
    flask.publish(asks("PIN"), asks("NOT_THERE"), key="two")
    result = flask("secrets", "check", code=1)
    assert "NOT_THERE" in result.stderr
    assert "MISSING" in result.stdout
    assert "1234-5678" not in result.output
    assert json.loads(flask("secrets", "check", "--json", code=1).stdout) == [
        {"name": "NOT_THERE", "found": False, "workflows": ["two"]},
        {"name": "PIN", "found": True, "workflows": ["one", "two"]},
    ]


def test_publishing_warns_of_a_secret_that_is_not_there(flask: CommandLine) -> None:
    result = flask(
        "definitions", "publish", flask.file(document(steps=[asks("NOT_THERE"), asks("PIN")]))
    )
    assert "warning" in result.stderr
    assert "UNKNOWN_SECRET" in result.stderr
    assert result.stderr.count("UNKNOWN_SECRET") == 1


def test_pause_refuses_runs_until_unpause(flask: CommandLine) -> None:
    flask("definitions", "publish", flask.file(document()))
    assert "paused" in flask("definitions", "pause", "greet", "--reason", "Broken").stderr
    assert flask.json("definitions", "list")[0]["state"] == "paused"
    assert "paused: new runs" in flask("runs", "start", "greet", code=3).stderr
    assert "already" in flask("definitions", "pause", "greet").stderr
    flask("definitions", "unpause", "greet")
    assert flask.json("definitions", "list")[0]["state"] == "published"
    flask("definitions", "pause", "nothing", code=3)
