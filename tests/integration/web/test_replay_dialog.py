"""The Replay dialog: sealed fields of a form, and what changed in the versions that are offered."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from sqlalchemy import select

from engine.runs.strict_json import canonical
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Form, Page
from tests.integration.web.dialog import SCHEMA

PAYLOAD: dict[str, Any] = {
    "customer": {"name": "Harbour\nDental", "email": "CANARY@example.com", "a/b~c": "x"},
    "plan": "plus",
    "seats": 3,
    "discount": 0.50,
    "notify": False,
    "devices": ["one", "two"],
    "from": "about noon",
    "password": "CANARY-PASSWORD",
    "extra": {"apiKey": "CANARY-KEY", "open": 1},
    "kept": [{"token": "CANARY-TOKEN"}],
}


@pytest.fixture
def old(store: Store) -> WorkflowRun:
    document = builders.document("onboard", redact=["/payload/customer/email"])
    schema = {key: value for key, value in SCHEMA.items() if key != "additionalProperties"}
    of = builders.definition("onboard", name="Onboard")
    version = builders.version(of, definition_json=document, payload_schema_json=schema)
    builders.save(store, of, version)
    run = builders.run(of, "FAILED", input_json=PAYLOAD)
    builders.save(store, run)
    return run


def _page(browser: Browser, run: WorkflowRun, query: str = "?edit=form") -> Page:
    page = browser.page(f"/runs/{run.run_id}/replay{query}")
    assert "CANARY" not in page.html
    return page


def _form(browser: Browser, run: WorkflowRun) -> Form:
    return _page(browser, run).form(f"/runs/{run.run_id}/replay")


def _payload_of_the_replay(store: Store) -> Any:
    with store.reading() as session:
        found = select(WorkflowRun).where(WorkflowRun.replay_of_run_id.is_not(None))
        return session.scalars(found).one().input_json


def test_left_alone_the_form_keeps_every_value(
    operator: Browser, store: Store, old: WorkflowRun
) -> None:
    form = _form(operator, old)
    assert "payload" not in form.fields
    assert form.fields["field:/seats"] == "3"
    assert form.fields["field:/password"] == form.fields["field:/customer/email"] == ""
    typed: dict[str, Any] = {name: text.replace("\n", "\r\n") for name, text in form.fields.items()}
    assert operator.submit(form, **typed | {"reason": "again"}).status_code == 303
    assert canonical(_payload_of_the_replay(store)) == canonical(PAYLOAD)


def test_a_sealed_field_says_keep_original_and_is_replaced_by_what_is_typed(
    operator: Browser, store: Store, old: WorkflowRun
) -> None:
    page = _page(operator, old)
    sealed = [a for a in page.all("input") if a.get("placeholder") == "keep original"]
    assert {a["name"] for a in sealed} == {"field:/password", "field:/customer/email"}
    form = page.form(f"/runs/{old.run_id}/replay")
    typed: dict[str, Any] = {
        "field:/password": "new one",
        "field:/seats": "4",
        "field:/discount": "",
    }
    assert operator.submit(form, reason="again", **typed).status_code == 303
    expected = copy.deepcopy(PAYLOAD) | {"password": "new one", "seats": 4}
    del expected["discount"]
    assert canonical(_payload_of_the_replay(store)) == canonical(expected)


def test_what_cannot_be_read_is_said_beside_its_field_and_nothing_typed_is_lost(
    operator: Browser, old: WorkflowRun
) -> None:
    form = _form(operator, old)
    typed: dict[str, Any] = {
        "field:/seats": "three",
        "field:/password": "typed",
        "reason": "Because",
    }
    response = operator.submit(form, **typed)
    assert response.status_code == 422
    page = Page(response.text)
    again = page.form(form.action)
    assert {name: again.fields[name] for name in typed} == typed
    assert again.fields["token"] != form.fields["token"]
    seats = next(a for a in page.all("input") if a.get("name") == "field:/seats")
    assert seats["aria-invalid"] == "true"
    assert "This must be a whole number." in page.text


def test_what_the_schema_refuses_is_said_beside_its_field(
    operator: Browser, old: WorkflowRun
) -> None:
    typed: dict[str, Any] = {"reason": "again", "field:/seats": "0"}
    response = operator.submit(_form(operator, old), **typed)
    assert response.status_code == 422
    seats = next(a for a in Page(response.text).all("input") if a.get("name") == "field:/seats")
    assert seats["aria-invalid"] == "true"


def test_other_values_than_were_shown_are_a_409_that_keeps_the_edit(
    operator: Browser, store: Store, old: WorkflowRun
) -> None:
    form = _form(operator, old)
    typed: dict[str, Any] = {"reason": "again", "shown": "0" * 64, "field:/seats": "9"}
    response = operator.submit(form, **typed)
    assert response.status_code == 409
    again = Page(response.text).form(form.action)
    assert again.fields["field:/seats"] == "9"
    assert operator.submit(again).status_code == 303
    assert _payload_of_the_replay(store)["seats"] == 9


def test_the_json_editor_names_what_is_sealed(operator: Browser, old: WorkflowRun) -> None:
    text = _page(operator, old, "?edit=1").text
    assert "Sealed, keep original: 4" in text
    for pointer in ("/customer/email", "/password", "/extra/apiKey", "/kept/0/token"):
        assert pointer in text


def test_without_a_schema_there_is_the_json_editor_alone(
    operator: Browser, store: Store, anything: WorkflowDefinition
) -> None:
    run = builders.run(anything, "FAILED", input_json={"a": 1})
    builders.save(store, run)
    form = _page(operator, run).form(f"/runs/{run.run_id}/replay")
    assert "payload" in form.fields
    links = _page(operator, run, "").links()
    assert [link for link in links if "edit=" in link] == [f"/runs/{run.run_id}/replay?edit=1"]


def test_each_version_that_is_offered_says_what_changed(operator: Browser, store: Store) -> None:
    say = {"id": "say", "type": "control.return"}
    of, _ = builders.published(store, "greet", document=builders.document("greet", steps=[say]))
    more = {"id": "more", "type": "control.return", "name": "One more"}
    second = builders.document("greet", steps=[{**say, "name": "Say it"}, more], description="New")
    same = builders.document("greet", steps=[say])
    builders.save(
        store,
        builders.version(of, 2, definition_json=second),
        builders.version(of, 3, definition_json=same),
    )
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    text = _page(operator, run, "").text
    assert "What changed since version 1" in text
    assert "Version 3: the same document" in text
    assert "Version 2: 2 steps, 1 other field" in text
    assert "added more" in text
    assert "/description" in text
    chosen = _page(operator, run, "?version=2")
    assert chosen.form(f"/runs/{run.run_id}/replay").fields["version"] == "2"
    details = chosen.by_id("changes-2")
    assert details is not None
    assert "open" in details


def test_of_many_versions_the_newest_are_told_and_the_others_when_they_are_chosen(
    operator: Browser, store: Store
) -> None:
    of, _ = builders.published(store, "greet")
    builders.save(store, *(builders.version(of, number) for number in range(2, 15)))
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    page = _page(operator, run, "")
    assert page.by_id("changes-5") is not None
    assert page.by_id("changes-4") is None
    assert f"/runs/{run.run_id}/replay?version=4#changes-4" in page.links()
    assert _page(operator, run, "?version=4").by_id("changes-4") is not None
