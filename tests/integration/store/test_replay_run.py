"""A replay runs with the original payload, and what the operator changed of it (rules.md 8)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from engine.contract import Json
from engine.errors import Conflict, Invalid, NotFound, TooLarge, TooMany
from engine.runs import strict_json
from engine.runs.redaction import MASK
from engine.services.context import Limits, Services
from engine.services.replay_run import replay_run, shown_payload
from engine.store.session import Store
from engine.store.tables import AuditLog, WorkflowDefinition, WorkflowRun
from tests import builders
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, put_before_the_cut_over

ORIGINAL: Json = {
    "customer": "Ann",
    "password": "hunter2",
    "iban": "DE00",
    "contacts": [{"name": "Bo", "token": "t-1"}, {"name": "Cy", "token": "t-2"}],
    "count": 1,
    "ratio": 1.0,
}
SCHEMA: Json = {"type": "object", "properties": {"customer": {"type": "string"}}}


@pytest.fixture
def old(store: Store) -> WorkflowRun:
    """An ended run of a workflow that redacts /payload/iban."""
    return an_old_run(store)


def an_old_run(store: Store, payload: Json = ORIGINAL, **fields: Any) -> WorkflowRun:
    definition = builders.definition(
        draft_definition=builders.document("greet", redact=["/payload/iban"])
    )
    run = builders.run(definition, "FAILED", input_json=payload, **fields)
    builders.save(store, definition, builders.version(definition, payload_schema_json=SCHEMA), run)
    return run


def row(store: Store, run_id: str) -> WorkflowRun:
    with store.reading() as session:
        return session.get_one(WorkflowRun, run_id)


def form(services: Services, run: WorkflowRun) -> tuple[Any, str]:
    """What the edit form shows: the redacted payload, and its hash."""
    with services.store.reading() as session:
        shown = shown_payload(services, session, session.get_one(WorkflowRun, run.run_id))
    return json.loads(shown.text), shown.shown_hash


def test_unedited_the_new_run_has_the_original_payload_byte_for_byte(
    store: Store, engine: FakeEngine, services: Services, old: WorkflowRun
) -> None:
    launched = replay_run(services, old.run_id, SOMEBODY, "again")
    new = row(store, launched.run_id)
    assert strict_json.canonical(new.input_json) == strict_json.canonical(ORIGINAL)
    assert (new.workflow_id, new.workflow_version) == (old.workflow_id, 1)
    assert (new.status, new.replay_of_run_id, new.reason) == ("RUNNING", old.run_id, "again")
    assert new.trigger_metadata_json == {"replayOfRunId": old.run_id, "reason": "again"}
    assert engine.asked("start") == [new.run_id]


def test_the_old_row_is_not_touched(store: Store, services: Services, old: WorkflowRun) -> None:
    def columns() -> dict[str, Any]:
        found = row(store, old.run_id)
        return {column.key: getattr(found, column.key) for column in WorkflowRun.__table__.columns}

    before = columns()
    replay_run(services, old.run_id, SOMEBODY, "again")
    assert columns() == before


def test_a_replay_is_audited_as_one(store: Store, services: Services, old: WorkflowRun) -> None:
    launched = replay_run(services, old.run_id, SOMEBODY, "again")
    with store.reading() as session:
        audit = session.scalars(select(AuditLog)).one()
    assert (audit.operation, audit.outcome) == ("workflow_run_replay", "done")
    assert audit.record_id == launched.run_id
    assert audit.details_json["replayOfRunId"] == old.run_id
    assert "hunter2" not in json.dumps(audit.details_json)


def test_the_form_shows_nothing_that_must_not_be_seen(services: Services, old: WorkflowRun) -> None:
    shown, _ = form(services, old)
    assert (shown["password"], shown["iban"]) == (MASK, MASK)
    assert [contact["token"] for contact in shown["contacts"]] == [MASK, MASK]
    assert shown["customer"] == "Ann"


@pytest.mark.parametrize("shown_hash", ["right", "", None, "0" * 64])
def test_a_text_that_was_not_changed_is_an_unedited_replay(
    store: Store, services: Services, old: WorkflowRun, shown_hash: str | None
) -> None:
    shown, right = form(services, old)
    text = json.dumps(shown, indent=7).replace("\n", "\r\n")
    given = right if shown_hash == "right" else shown_hash
    launched = replay_run(services, old.run_id, SOMEBODY, "again", text, given)
    assert row(store, launched.run_id).input_json == ORIGINAL


def test_an_edit_changes_what_was_edited_and_keeps_what_was_masked(
    store: Store, services: Services, old: WorkflowRun
) -> None:
    shown, shown_hash = form(services, old)
    shown["customer"] = "Dan"
    shown["contacts"][1]["name"] = "Di"
    launched = replay_run(services, old.run_id, SOMEBODY, "again", json.dumps(shown), shown_hash)
    assert row(store, launched.run_id).input_json == {
        **ORIGINAL,
        "customer": "Dan",
        "contacts": [{"name": "Bo", "token": "t-1"}, {"name": "Di", "token": "t-2"}],
    }


def refused_edits(shown: Any) -> dict[str, str]:
    return {
        "not JSON": "{",
        "a mask typed where none was": json.dumps({**shown, "customer": MASK}),
        "a list with masks that lost an entry": json.dumps(
            {**shown, "contacts": shown["contacts"][1:]}
        ),
        "a key that stands twice": '{"customer": "a", "customer": "b"}',
        "not a number": '{"customer": NaN}',
        "what the schema refuses": json.dumps({**shown, "customer": 7}),
    }


@pytest.mark.parametrize("name", refused_edits({"contacts": [1, 2]}))
def test_an_edit_that_cannot_be_used_is_refused_and_nothing_is_written(
    store: Store, engine: FakeEngine, services: Services, old: WorkflowRun, name: str
) -> None:
    shown, shown_hash = form(services, old)
    with pytest.raises(Invalid) as caught:
        replay_run(services, old.run_id, SOMEBODY, "again", refused_edits(shown)[name], shown_hash)
    assert caught.value.problems
    assert "hunter2" not in str(caught.value.problems)
    assert engine.calls == []
    with store.reading() as session:
        assert session.scalars(select(WorkflowRun.run_id)).all() == [old.run_id]


@pytest.mark.parametrize("shown_hash", [None, "", "0" * 64])
def test_an_edit_of_something_else_than_is_shown_now_is_a_conflict(
    services: Services, old: WorkflowRun, shown_hash: str | None
) -> None:
    shown, _ = form(services, old)
    shown["customer"] = "Dan"
    with pytest.raises(Conflict) as caught:
        replay_run(services, old.run_id, SOMEBODY, "again", json.dumps(shown), shown_hash)
    assert caught.value.code == "SHOWN_CHANGED"


def test_rules_that_became_stricter_since_the_form_was_shown_are_a_conflict(
    store: Store, engine: FakeEngine, services: Services, old: WorkflowRun
) -> None:
    shown, shown_hash = form(services, old)
    shown["customer"] = "Dan"
    stricter = builders.services(store, gateway=engine, redaction_patterns=("contacts",))
    with pytest.raises(Conflict):
        replay_run(stricter, old.run_id, SOMEBODY, "again", json.dumps(shown), shown_hash)


def test_another_version_can_be_asked_for(
    store: Store, services: Services, old: WorkflowRun
) -> None:
    with store.reading() as session:
        definition = session.get_one(WorkflowDefinition, old.workflow_id)
    builders.save(store, builders.version(definition, 2))
    launched = replay_run(services, old.run_id, SOMEBODY, "again", version=2)
    assert row(store, launched.run_id).workflow_version == 2
    with pytest.raises(NotFound):
        replay_run(services, old.run_id, SOMEBODY, "again", version=3)


def test_a_double_click_gives_one_run(store: Store, services: Services, old: WorkflowRun) -> None:
    first = replay_run(services, old.run_id, SOMEBODY, "again", token="t")
    second = replay_run(services, old.run_id, SOMEBODY, "again", token="t")
    assert (second.run_id, second.already) == (first.run_id, True)


@pytest.mark.parametrize("status", ["RUNNING", "WAITING", "SUCCEEDED", "CANCELED"])
def test_a_run_of_any_status_can_be_replayed(store: Store, services: Services, status: str) -> None:
    definition, _ = builders.published(store)
    run = builders.run(definition, status)
    builders.save(store, run)
    assert replay_run(services, run.run_id, SOMEBODY, None)


def test_a_run_from_before_the_cut_over_is_replayed_on_temporal(
    store: Store, services: Services
) -> None:
    old = an_old_run(store, None, engine="db", temporal_workflow_id=None)
    put_before_the_cut_over(store, old)
    with store.writing() as session:
        session.get_one(WorkflowDefinition, old.workflow_id).key = None
    new = row(store, replay_run(services, old.run_id, SOMEBODY, "again").run_id)
    assert (new.engine, new.input_json, new.status) == ("temporal", {}, "RUNNING")


@pytest.mark.parametrize("run_id", ["x", "00000000-0000-0000-0000-000000000000", ""])
def test_what_is_no_run_is_not_found(services: Services, run_id: str) -> None:
    with pytest.raises(NotFound):
        replay_run(services, run_id, SOMEBODY, "again")


def test_the_limits_of_a_launch_hold_for_replays(
    store: Store, engine: FakeEngine, old: WorkflowRun
) -> None:
    small = builders.services(store, gateway=engine, limits=Limits(payload_bytes=20))
    with pytest.raises(TooLarge):
        replay_run(small, old.run_id, SOMEBODY, "again")
    with store.writing() as session:
        session.get_one(WorkflowDefinition, old.workflow_id).concurrency_limit = 0
    with pytest.raises(TooMany):
        replay_run(builders.services(store, gateway=engine), old.run_id, SOMEBODY, "again")
