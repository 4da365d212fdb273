"""The sample workflows: they publish without a finding, and they do what they say.

Actions on our own database are played by a dictionary; everything else is the real language.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.actions.registry import default_registry
from engine.contract import Json
from engine.definitions.availability import AVAILABLE_KINDS
from engine.definitions.check import check_document
from engine.definitions.compile import compile_plan
from engine.definitions.document import Document
from engine.definitions.payload_schema import validate_payload
from engine.definitions.walk import steps_of
from engine.definitions.workflows import KnownWorkflows
from engine.interpreter.host import ActionRequest
from tests.fakes import FakeHost, execute

FOLDER = Path(__file__).parents[3] / "samples"
ASKING = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (FOLDER / "asking").glob("*.json")
}
"""They wait for a person, and are therefore published by hand only."""
SAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
CATALOGUE = default_registry(plugins=())


class OwnStore:
    """What log.write and store.* do, in memory."""

    def __init__(self) -> None:
        self.values: dict[str, Json] = {}
        self.lines: list[Json] = []

    def host(self) -> FakeHost:
        return FakeHost(
            {
                "log.write": lambda request: self.lines.append(request.input) or {},
                "store.set": self._set,
                "store.get": self._get,
                "store.increment": self._increment,
            }
        )

    def _set(self, request: ActionRequest) -> Json:
        self.values[self._key(request)] = request.input["value"]
        return {"revision": 1}

    def _get(self, request: ActionRequest) -> Json:
        found = self.values.get(self._key(request))
        return {"found": found is not None, "value": found, "revision": 1}

    def _increment(self, request: ActionRequest) -> Json:
        key = self._key(request)
        self.values[key] = self.values.get(key, 0) + 1
        return {"value": self.values[key], "revision": 1}

    def _key(self, request: ActionRequest) -> str:
        return f"{request.input['namespace']}:{request.input['key']}"


def run(name: str, payload: Json, store: OwnStore) -> FakeHost:
    assert validate_payload(SAMPLES[name]["payloadSchema"], payload) == []
    plan = compile_plan(Document.model_validate(SAMPLES[name]), CATALOGUE)
    host = store.host()
    outcome = execute(plan, host, payload=payload)
    assert (outcome.status, outcome.error) == ("SUCCEEDED", None)
    return host


def with_defaults(name: str, **given: Json) -> dict[str, Json]:
    """What the generated form sends when only these fields are typed."""
    properties = SAMPLES[name]["payloadSchema"]["properties"]
    defaults = {key: one["default"] for key, one in properties.items() if "default" in one}
    return defaults | given


def test_there_are_three() -> None:
    assert sorted(SAMPLES) == ["backup-review", "new-starter", "ticket-triage"]


@pytest.mark.parametrize("name", [*SAMPLES, *ASKING])
def test_a_sample_publishes_without_a_finding(name: str) -> None:
    document = (SAMPLES | ASKING)[name]
    findings = check_document(document, CATALOGUE, workflows=KnownWorkflows(), schemas={})
    assert findings == []
    assert document["id"] == name


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_needs_no_network(name: str) -> None:
    actions = {
        step.config["actionId"] for step in steps_of(SAMPLES[name]) if step.kind == "action.call"
    }
    assert not any(action.startswith(("http.", "email.")) for action in actions)


def test_together_they_use_every_kind_of_step_that_is_executed() -> None:
    used = {step.kind for sample in SAMPLES.values() for step in steps_of(sample)}
    assert used >= {
        "action.call", "transform.assign", "state.set", "time.wait",
        "control.if", "control.forEach", "control.tryCatch", "control.return",
    }  # fmt: skip
    assert used <= AVAILABLE_KINDS


def test_new_starter_makes_an_account_and_counts_licences() -> None:
    store = OwnStore()
    payload = with_defaults(
        "new-starter",
        firstName="Zoë",
        lastName="O'Neill-Smith",
        department="Engineering",
        licences=["Visio"],
        initialPassphrase="correct horse",
    )
    host = run("new-starter", payload, store)
    assert store.values["accounts:Contoso/z.oneillsmith"]["mailboxGb"] == 50
    assert store.values["licences:Contoso/IDE"] == 1
    assert store.values["device-orders:run-1"]["model"] == "Workstation"
    assert store.lines[-1]["message"].endswith("z.oneillsmith with 3 licences")
    assert "correct horse" not in json.dumps([store.values, store.lines])
    assert host.labels == ["Preparing the account", "Granting licences", "Ready"]

    run("new-starter", payload | {"needsLaptop": False, "licences": []}, store)
    assert store.values["licences:Contoso/IDE"] == 2
    assert store.lines[-2]["message"] == "No laptop wanted."


def test_ticket_triage_escalates_what_stays_urgent() -> None:
    store = OwnStore()
    host = run("ticket-triage", with_defaults("ticket-triage", impact="the whole site"), store)
    assert store.values["tickets:T-1001"]["priority"] == "critical"
    assert store.lines[-1]["level"] == "ERROR"
    assert store.lines[-1]["context"] == {"score": 5, "signs": "down"}
    assert host.labels[-1] == "Escalated"
    assert host.now() == datetime(2026, 6, 9, 12, 0, 2, tzinfo=UTC)


def test_ticket_triage_answers_a_question_and_leaves_the_normal_alone() -> None:
    store = OwnStore()
    run("ticket-triage", with_defaults("ticket-triage", subject="How do I print?"), store)
    assert "knowledge base" in store.lines[-1]["message"]
    assert store.values == {}
    host = run("ticket-triage", with_defaults("ticket-triage", subject="New mouse"), store)
    assert store.values["tickets:T-1001"]["priority"] == "normal"
    assert host.labels[-1] == "Waiting for a technician"


def test_backup_review_goes_on_where_a_report_cannot_be_read() -> None:
    store = OwnStore()
    host = run("backup-review", with_defaults("backup-review"), store)
    summary = store.values["backup-reviews:Fabrikam"]
    assert summary["good"] == ["srv-files"]
    assert summary["stale"] == [{"device": "srv-mail", "ageHours": 61}]
    assert summary["unreadable"] == [{"device": "srv-old", "why": "ValidationError"}]
    assert store.lines[-1]["message"] == "Fabrikam: 1 stale and 1 unreadable of 3 backups"
    assert store.lines[-1]["context"] == {"devices": ["srv-mail", "srv-old"]}
    assert host.labels[-1] == "Needs attention"


@pytest.mark.parametrize(
    ("devices", "label"),
    [
        ([], "Nothing to review"),
        ([{"name": "a", "report": '{"ok": true, "ageHours": 1}'}], "All good"),
        ([{"name": "a", "report": "{}"}], "Needs attention"),
        ([{"name": "a", "report": "null"}], "Needs attention"),
        ([{"name": "a", "report": '{"ok": true}'}], "Needs attention"),
    ],
)
def test_backup_review_says_how_it_ended(devices: Any, label: str) -> None:
    host = run("backup-review", with_defaults("backup-review", devices=devices), OwnStore())
    assert host.labels[-1] == label
