"""Replay: unedited it sends no payload, edited it sends the edit; both lead to the new run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from engine.runs.strict_json import canonical
from engine.services.context import Services
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both

PAYLOAD: dict[str, Any] = {
    "customer": {"name": "Harbour", "taxNumber": "CANARY-TAX"},
    "apiKey": "CANARY-KEY",
    "accounts": [{"user": "a", "password": "CANARY-1"}, {"user": "b", "password": "CANARY-2"}],
    "price": 1.50,
    "note": "übung",
}


@pytest.fixture
def old(store: Store) -> WorkflowRun:
    of, _ = builders.published(
        store, "onboard",
        document=builders.document("onboard", redact=["/payload/customer/taxNumber"]),
    )  # fmt: skip
    run = builders.run(of, "FAILED", input_json=PAYLOAD)
    builders.save(store, run)
    return run


def _replays(store: Store) -> list[WorkflowRun]:
    with store.reading() as session:
        found = select(WorkflowRun).where(WorkflowRun.replay_of_run_id.is_not(None))
        return list(session.scalars(found))


def _form(browser: Browser, old: WorkflowRun, query: str = "") -> Any:
    return browser.page(f"/runs/{old.run_id}/replay{query}").form(f"/runs/{old.run_id}/replay")


@on_both
def test_unedited_it_carries_no_payload_and_runs_with_the_original(
    operator: Browser, store: Store, old: WorkflowRun, engine: FakeEngine
) -> None:
    form = _form(operator, old)
    assert set(form.fields) == {"csrf_token", "token", "reason"}
    response = operator.submit(form, reason="The CRM is up again")
    (new,) = _replays(store)
    assert (response.status_code, response.headers["Location"]) == (303, f"/runs/{new.run_id}")
    assert canonical(new.input_json) == canonical(PAYLOAD)
    assert (new.replay_of_run_id, new.reason) == (old.run_id, "The CRM is up again")
    assert new.workflow_version == old.workflow_version
    assert engine.asked("start") == [new.run_id]
    page = operator.page(f"/runs/{new.run_id}")
    assert f"/runs/{old.run_id}" in page.links()
    assert "CANARY" not in page.html


def test_htmx_is_sent_to_the_new_run(operator: Browser, store: Store, old: WorkflowRun) -> None:
    form = _form(operator, old)
    assert form.attributes["hx-post"] == form.action == f"/runs/{old.run_id}/replay"
    response = operator.submit(form, htmx=True, reason="again")
    (new,) = _replays(store)
    assert response.headers["HX-Redirect"] == f"/runs/{new.run_id}"


def test_the_old_row_is_not_touched(operator: Browser, store: Store, old: WorkflowRun) -> None:
    operator.submit(_form(operator, old), reason="again")
    with store.reading() as session:
        row = session.get_one(WorkflowRun, old.run_id)
    assert (row.status, row.updated_at, row.input_json) == ("FAILED", old.updated_at, PAYLOAD)


def test_the_edit_form_shows_the_payload_redacted(operator: Browser, old: WorkflowRun) -> None:
    form = _form(operator, old, "?edit=1")
    assert set(form.fields) == {"csrf_token", "token", "reason", "payload", "shown"}
    assert json.loads(form.fields["payload"]) == {
        "customer": {"name": "Harbour", "taxNumber": "[REDACTED]"},
        "apiKey": "[REDACTED]",
        "accounts": [
            {"user": "a", "password": "[REDACTED]"}, {"user": "b", "password": "[REDACTED]"},
        ],
        "price": 1.5,
        "note": "übung",
    }  # fmt: skip


@on_both
def test_edited_it_keeps_what_is_masked(operator: Browser, store: Store, old: WorkflowRun) -> None:
    form = _form(operator, old, "?edit=1")
    edited = json.loads(form.fields["payload"])
    edited["customer"]["name"] = "Harbour Dental"
    edited["accounts"][1]["user"] = "c"
    text = json.dumps(edited).replace(",", ",\r\n")
    assert operator.submit(form, reason="Renamed", payload=text).status_code == 303
    (new,) = _replays(store)
    expected = json.loads(json.dumps(PAYLOAD))
    expected["customer"]["name"] = "Harbour Dental"
    expected["accounts"][1]["user"] = "c"
    assert canonical(new.input_json) == canonical(expected)


def test_text_left_as_it_was_is_unedited(operator: Browser, store: Store, old: WorkflowRun) -> None:
    form = _form(operator, old, "?edit=1")
    text = form.fields["payload"].replace("\n", "\r\n") + "\r\n"
    assert operator.submit(form, reason="again", payload=text).status_code == 303
    (new,) = _replays(store)
    assert canonical(new.input_json) == canonical(PAYLOAD)


BAD_EDITS = [
    ('{"customer": ', "line 1"),
    ('{"new": "[REDACTED]"}', "/new"),
    ('{"accounts": [{"user": "b", "password": "[REDACTED]"}]}', "/accounts"),
    ('{"a": 1, "a": 2}', "/a"),
    ("[1]", "must be a JSON object"),
]


@pytest.mark.parametrize(("text", "said"), BAD_EDITS)
@pytest.mark.parametrize("htmx", [False, True])
def test_a_bad_edit_is_422_beside_the_field_with_text_and_reason_kept(
    operator: Browser, store: Store, old: WorkflowRun, text: str, said: str, htmx: bool
) -> None:
    form = _form(operator, old, "?edit=1")
    response = operator.submit(form, htmx=htmx, reason="My reason", payload=text)
    assert response.status_code == 422
    page = Page(response.text)
    again = page.form(form.action)
    assert (again.fields["payload"], again.fields["reason"]) == (text, "My reason")
    assert again.fields["token"] != form.fields["token"]
    area = page.by_id("payload")
    assert area is not None
    assert area["aria-invalid"] == "true"
    assert "payload-error" in area["aria-describedby"]
    assert said in page.text
    assert _replays(store) == []


@pytest.mark.parametrize("query", ["", "?edit=1"])
@pytest.mark.parametrize("reason", ["", "ab"])
def test_a_reason_is_needed_and_nothing_is_lost(
    operator: Browser, store: Store, old: WorkflowRun, query: str, reason: str
) -> None:
    form = _form(operator, old, query)
    typed = {"payload": '{"kept": true}'} if query else {}
    response = operator.submit(form, reason=reason, **typed)
    assert response.status_code == 422
    page = Page(response.text)
    field = page.by_id("reason")
    assert field is not None
    assert field["aria-describedby"] == "reason-error"
    again = page.form(form.action).fields
    assert ("payload" in again) is bool(query)
    assert {name: again[name] for name in typed} == typed
    assert _replays(store) == []


def test_when_what_is_masked_has_changed_it_is_409_and_the_edit_is_kept(
    operator: Browser, store: Store, old: WorkflowRun
) -> None:
    form = _form(operator, old, "?edit=1")
    response = operator.submit(form, reason="again", payload='{"mine": 1}', shown="0" * 64)
    assert response.status_code == 409
    page = Page(response.text)
    again = page.form(form.action).fields
    assert again["payload"] == '{"mine": 1}'
    assert again["shown"] == form.fields["shown"]
    assert "as it is shown now" in page.text
    assert "CANARY" not in page.html
    assert _replays(store) == []


def test_a_double_click_gives_one_run(operator: Browser, store: Store, old: WorkflowRun) -> None:
    form = _form(operator, old)
    answers = [operator.submit(form, reason="again") for _ in range(3)]
    (new,) = _replays(store)
    assert {a.headers["Location"] for a in answers} == {f"/runs/{new.run_id}"}


def test_a_paused_workflow_is_409_on_the_same_form(
    operator: Browser, services: Services, old: WorkflowRun
) -> None:
    form = _form(operator, old)
    with services.store.writing() as session:
        session.get_one(WorkflowDefinition, old.workflow_id).is_paused = True
    response = operator.submit(form, reason="again")
    assert response.status_code == 409
    page = Page(response.text)
    assert "is paused" in page.text
    assert page.form(form.action).fields["reason"] == "again"
    assert _replays(services.store) == []


def test_while_temporal_is_down_it_is_503_with_the_form(
    operator: Browser, old: WorkflowRun, engine: FakeEngine
) -> None:
    engine.down = True
    form = _form(operator, old)
    response = operator.submit(form, reason="again")
    assert response.status_code == 503
    again = Page(response.text).form(form.action).fields
    assert again["reason"] == "again"
    assert again["token"] != form.fields["token"]


@pytest.mark.parametrize("status", ["RUNNING", "WAITING", "SUCCEEDED", "CANCELED"])
def test_a_run_of_any_status_can_be_replayed(operator: Browser, store: Store, status: str) -> None:
    of, _ = builders.published(store)
    run = builders.run(of, status, input_json={"a": 1})
    builders.save(store, run)
    assert operator.submit(_form(operator, run), reason="again").status_code == 303
    (new,) = _replays(store)
    assert new.input_json == {"a": 1}


@pytest.mark.parametrize("bad", ["nope", "11111111-1111-4111-8111-111111111111"])
def test_an_unknown_run_is_404(operator: Browser, bad: str) -> None:
    assert operator.post(f"/runs/{bad}/replay", {"reason": "because"}).status_code == 404
    assert operator.post(f"/runs/{bad}/replay", {"reason": ""}).status_code == 404
