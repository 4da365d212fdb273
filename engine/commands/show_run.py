"""A run for people: the same data as `runs show --json`, as text."""

from __future__ import annotations

import json
from typing import Any

import click

from engine.commands.output import print_table, say
from engine.contract import Json


def print_run(exported: dict[str, Json]) -> None:
    run: dict[str, Any] = exported["run"]
    workflow: dict[str, Any] = run["workflow"]
    facts = [
        ("Run", run["id"]),
        ("Workflow", f"{workflow['name']} ({workflow['key']} version {workflow['version']})"),
        ("Status", run["status"]),
        ("State", run["state"]),
        ("Started", _by(run["startedAt"], run["startedBy"])),
        ("Completed", run["completedAt"]),
        ("Reason", run["reason"]),
        ("Replay of", run["replayOf"]),
        ("Replayed as", ", ".join(each["id"] for each in run["replayedAs"])),
        ("Cancel asked", _cancel(run["cancel"])),
        ("Error", _error(run["error"])),
        ("Payload", json.dumps(run["input"], ensure_ascii=False)),
    ]
    for name, value in facts:
        if value:
            click.echo(f"{name:<13}{value}")
    _tables(exported)
    say(f"Inputs and outputs: `flask runs show {run['id']} --json`.")


def _tables(exported: dict[str, Json]) -> None:
    steps = [
        (_place(step), step["id"], step["kind"], step["status"], step["attempt"],
         step["durationMs"], _error(step["error"]))
        for step in exported["steps"]
    ]  # fmt: skip
    waits = [
        (wait["type"], wait["status"], wait["path"], wait["timeoutAt"], wait["key"])
        for wait in exported["waits"]
    ]
    children = [(each["id"], each["status"], each["workflow"]) for each in exported["children"]]
    logs = [(line["at"], line["level"], line["message"]) for line in exported["logs"]]
    for headings, rows in (
        (("STEP AT", "ID", "KIND", "STATUS", "ATTEMPT", "MS", "ERROR"), steps),
        (("WAIT", "STATUS", "AT", "UNTIL", "KEY"), waits),
        (("CHILD RUN", "STATUS", "WORKFLOW"), children),
        (("LOGGED AT", "LEVEL", "MESSAGE"), logs),
    ):
        if rows:
            click.echo("")
            print_table(headings, rows)


def _place(step: dict[str, Any]) -> str:
    indexes = "".join(f"#{index}" for index in step["iter"])
    return f"{step['path']}{indexes}"


def _by(at: str, email: str | None) -> str:
    return f"{at} by {email}" if email else at


def _cancel(cancel: dict[str, Any] | None) -> str | None:
    if cancel is None:
        return None
    reason = f": {cancel['reason']}" if cancel["reason"] else ""
    return f"{_by(cancel['requestedAt'], cancel['requestedBy'])}{reason}"


def _error(error: dict[str, Any] | None) -> str | None:
    if error is None:
        return None
    kind = error["category"] or error["code"]
    return f"{kind}: {error['message']}" if kind else str(error["message"])
