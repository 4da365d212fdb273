"""`flask runs` on a real database, a real Temporal and a real worker."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.integration.commands.conftest import CommandLine
from tests.studio import Studio

GREET = {
    "id": "greet",
    "type": "action.call",
    "config": {
        "actionId": "log.write",
        "version": 1,
        "inputMapping": {
            "level": "INFO",
            "message": {"$expr": "'Hello ' & payload.name"},
            "context": {"password": {"$expr": "payload.password"}},
        },
        "saveAs": "greeted",
    },
}
SLEEP = {"id": "sleep", "type": "time.wait", "config": {"mode": "duration", "durationMs": 600_000}}
FAIL = {
    "id": "fail",
    "type": "action.call",
    "config": {
        "actionId": "transform.parse_json",
        "version": 1,
        "inputMapping": {"source": "{"},
    },
}
PAYLOAD = json.dumps({"name": "Ada", "password": "hunter2"})


def run_of(flask: CommandLine, run_id: str) -> Any:
    return flask.json("runs", "show", run_id)


def test_start_and_wait_prints_the_id_and_ends_with_0(worked: CommandLine) -> None:
    worked.publish(GREET)
    result = worked("runs", "start", "greet", "--payload", PAYLOAD, "--wait")
    run_id = result.stdout.strip()
    assert str(UUID(run_id)) == run_id
    assert "SUCCEEDED" in result.stderr
    shown = run_of(worked, run_id)
    assert shown.keys() == {"run", "steps", "waits", "children", "logs"}
    assert shown["run"]["status"] == "SUCCEEDED"
    [step] = shown["steps"]
    assert {
        "id", "path", "iter", "kind", "status", "attempt", "input", "output", "error",
    } <= step.keys()  # fmt: skip
    assert (step["id"], step["path"], step["iter"], step["kind"]) == (
        "greet", "root.steps[0]", [], "action.call",
    )  # fmt: skip
    assert (step["status"], step["attempt"], step["output"], step["error"]) == (
        "SUCCEEDED", 1, {}, None,
    )  # fmt: skip
    assert any(line["message"] == "Hello Ada" for line in shown["logs"])


def test_nothing_that_is_masked_is_shown_or_exported(worked: CommandLine) -> None:
    worked.publish(GREET)
    run_id = worked("runs", "start", "greet", "--payload", PAYLOAD, "--wait").stdout.strip()
    for arguments in (["show"], ["show", "--json"], ["export"]):
        output = worked("runs", arguments[0], run_id, *arguments[1:]).output
        assert "hunter2" not in output
        assert "[REDACTED]" in output


def test_a_run_that_fails_ends_with_1_and_says_why(worked: CommandLine) -> None:
    worked.publish(FAIL)
    result = worked("runs", "start", "greet", "--wait", "--json", code=1)
    data = json.loads(result.stdout)
    assert data["status"] == "FAILED"
    assert data["error"]["category"] == "ValidationError"
    assert "FAILED" in result.stderr
    shown = worked("runs", "show", data["id"]).stdout
    assert "ValidationError" in shown
    assert "root.steps[0]" in shown


def test_a_payload_comes_from_a_file_or_standard_input(worked: CommandLine) -> None:
    worked.publish(GREET)
    path = worked.file({"name": "Bob", "password": "x"}, "payload.json")
    first = worked("runs", "start", "greet", "--payload", f"@{path}", "--wait").stdout.strip()
    second = worked("runs", "start", "greet", "--payload", "@-", "--wait", input=PAYLOAD).stdout
    assert run_of(worked, first)["run"]["input"]["name"] == "Bob"
    assert run_of(worked, second.strip())["run"]["input"]["name"] == "Ada"


def test_the_same_key_gives_the_same_run(flask: CommandLine) -> None:
    flask.publish(SLEEP)
    first = flask("runs", "start", "greet", "--key", "once")
    again = flask("runs", "start", "greet", "--key", "once")
    other = flask("runs", "start", "greet", "--key", "twice")
    assert first.stdout == again.stdout != other.stdout
    assert "no other run" in again.stderr


def test_a_version_may_be_asked_for(flask: CommandLine) -> None:
    flask.publish(SLEEP)
    flask.publish(SLEEP, name="Second")
    old = flask("runs", "start", "greet", "--version", "1").stdout.strip()
    new = flask("runs", "start", "greet").stdout.strip()
    assert run_of(flask, old)["run"]["workflow"]["version"] == 1
    assert run_of(flask, new)["run"]["workflow"]["version"] == 2
    flask("runs", "start", "greet", "--version", "9", code=3)
    flask("runs", "start", "greet", "--version", "0", code=2)


@pytest.mark.parametrize("payload", ["{", "@no-such-file", '{"a": NaN}', '{"a":1,"a":2}', ""])
def test_a_payload_that_is_no_json_is_wrong_usage(flask: CommandLine, payload: str) -> None:
    flask.publish(SLEEP)
    result = flask("runs", "start", "greet", "--payload", payload, code=2)
    assert result.stdout == ""
    assert "--payload" in result.stderr


def test_what_cannot_be_started_is_refused_and_leaves_no_row(flask: CommandLine) -> None:
    schema = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    flask.publish(SLEEP, payloadSchema=schema)
    result = flask("runs", "start", "greet", "--payload", '{"name": 5}', code=3)
    assert "/name" in result.stderr
    assert result.stdout == ""
    flask("runs", "start", "no-such", code=3)
    flask("runs", "start", "greet", "--payload", "[]", code=3)
    assert flask.json("definitions", "list")[0]["openRuns"] == 0


@pytest.mark.parametrize("command", ["show", "export", "cancel", "replay"])
@pytest.mark.parametrize("run_id", ["not-an-id", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "\u00fc"])
def test_an_unknown_run_is_refused(flask: CommandLine, command: str, run_id: str) -> None:
    result = flask("runs", command, run_id, code=3)
    assert result.stdout == ""
    assert result.stderr


def test_a_run_is_cancelled_with_its_reason(worked: CommandLine) -> None:
    worked.publish(SLEEP)
    run_id = worked("runs", "start", "greet").stdout.strip()
    Studio.eventually(lambda: run_of(worked, run_id)["run"]["status"] == "WAITING")
    assert "requested" in worked("runs", "cancel", run_id, "--reason", "wrong customer").stderr
    Studio.eventually(lambda: run_of(worked, run_id)["run"]["status"] == "CANCELED")
    shown = run_of(worked, run_id)
    assert shown["run"]["cancel"]["reason"] == "wrong customer"
    assert [wait["status"] for wait in shown["waits"]] == ["CANCELED"]
    worked("runs", "cancel", run_id, code=3)


def test_force_ends_a_run_that_no_worker_executes(flask: CommandLine) -> None:
    flask.publish(SLEEP)
    run_id = flask("runs", "start", "greet").stdout.strip()
    receipt = flask.json("runs", "cancel", run_id, "--force")
    assert receipt == {"id": run_id, "outcome": "stopped"}
    assert run_of(flask, run_id)["run"]["status"] == "CANCELED"


def test_force_is_refused_while_a_worker_may_clean_up(worked: CommandLine) -> None:
    worked.publish(SLEEP)
    run_id = worked("runs", "start", "greet").stdout.strip()
    worked("runs", "cancel", run_id, "--force", code=3)
    worked("runs", "cancel", run_id)


def stored_payload(flask: CommandLine, run_id: str) -> Any:
    from engine.store.runs import WorkflowRun

    with flask.services.store.reading() as session:
        return session.get_one(WorkflowRun, run_id).input_json


def test_an_unedited_replay_has_the_original_payload(worked: CommandLine) -> None:
    worked.publish(GREET)
    old = worked("runs", "start", "greet", "--payload", PAYLOAD, "--wait").stdout.strip()
    result = worked("runs", "replay", old, "--reason", "again", "--wait")
    new = result.stdout.strip()
    assert new != old
    assert stored_payload(worked, new) == json.loads(PAYLOAD)
    shown = run_of(worked, new)["run"]
    assert (shown["replayOf"], shown["reason"]) == (old, "again")


def test_an_edited_replay_keeps_what_was_masked(flask: CommandLine) -> None:
    flask.publish(GREET)
    old = flask("runs", "start", "greet", "--payload", PAYLOAD).stdout.strip()
    shown = run_of(flask, old)["run"]["input"]
    assert shown == {"name": "Ada", "password": "[REDACTED]"}
    edited = json.dumps(shown | {"name": "Bob"})
    new = flask("runs", "replay", old, "--payload", edited).stdout.strip()
    assert stored_payload(flask, new) == {"name": "Bob", "password": "hunter2"}
    typed = json.dumps({"name": "[REDACTED]", "password": "[REDACTED]"})
    flask("runs", "replay", old, "--payload", typed, code=3)


def test_an_export_is_the_whole_run_as_one_document(flask: CommandLine) -> None:
    flask.publish(SLEEP)
    run_id = flask("runs", "start", "greet").stdout.strip()
    exported = json.loads(flask("runs", "export", run_id).stdout)
    assert exported["run"]["id"] == run_id
    assert {"run", "steps", "waits", "children", "logs"} <= exported.keys()


def test_an_exported_file_is_verified_without_database_or_temporal(flask: CommandLine) -> None:
    flask.publish(SLEEP)
    run_id = flask("runs", "start", "greet").stdout.strip()
    file = flask.directory / "run.json"
    flask("runs", "export", run_id, "--output", str(file))
    key = flask("runs", "signing-key").stdout.strip()
    assert f"signed   with the key {key}\n" in flask("runs", "verify", str(file)).stdout
    flask("runs", "verify", str(file), "--key", "00" * 32, code=1)

    nowhere = flask.environment | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
                                   "TEMPORAL_ADDRESS": "127.0.0.1:1"}  # fmt: skip
    away = replace(flask, environment=nowhere)
    done = away.process("runs", "verify", str(file))
    assert (done.returncode, "key of this installation" in done.stdout) == (0, True), done.stderr
    file.write_text(file.read_text("utf-8").replace('"RUNNING"', '"RUNNINg"'), "utf-8")
    done = away.process("runs", "verify", str(file))
    assert (done.returncode, "CHANGED  /run is not" in done.stdout) == (1, True), done.stderr


def test_temporal_away_is_refused_and_the_row_says_so(flask: CommandLine) -> None:
    from tests.dev_server import free_port
    from tests.integration.commands.conftest import installation

    flask.publish(SLEEP)
    url = flask.environment["DATABASE_URL"]
    away = installation(f"127.0.0.1:{free_port()}", url, flask.directory)
    result = away("runs", "start", "greet", code=3)
    assert "does not answer" in result.stderr
    run_id = result.stderr.rsplit("Run ", 1)[1].strip()
    shown = run_of(flask, run_id)["run"]
    assert (shown["status"], shown["error"]["stage"]) == ("FAILED", "launch")
