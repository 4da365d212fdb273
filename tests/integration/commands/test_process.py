"""The real command line as a process: codes, streams, and a clean exit after Temporal was used."""

from __future__ import annotations

import json

from tests.integration.commands.conftest import CommandLine

STATE = {"id": "s", "type": "state.set", "config": {"state": "done"}}


def test_codes_and_streams_of_the_real_command_line(worked: CommandLine) -> None:
    document = json.dumps({"id": "typed", "name": "Typed", "steps": [STATE]})
    published = worked.process("definitions", "publish", "-", input=document)
    assert (published.returncode, published.stdout) == (0, "typed 1\n"), published.stderr
    started = worked.process("runs", "start", "typed", "--wait", "--json")
    assert started.returncode == 0, started.stderr
    assert json.loads(started.stdout)["status"] == "SUCCEEDED"
    assert worked.process("runs", "start", "no-such").returncode == 3
    doctor = worked.process("doctor", "--json")
    assert {check["name"]: check["ok"] for check in json.loads(doctor.stdout)}["worker"]
    assert doctor.stderr == ""
    helped = worked.process("--help")
    for command in ("definitions", "runs", "operators", "secrets", "schemas", "doctor"):
        assert f"\n  {command} " in helped.stdout


def test_an_operator_is_added_from_a_pipe(flask: CommandLine) -> None:
    added = flask.process(
        "operators", "add", "a@x.example", "--role", "admin", input="a long passphrase\n"
    )
    assert added.returncode == 0, added.stderr
    assert "a@x.example" in flask.process("operators", "list").stdout
