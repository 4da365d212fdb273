"""Replay, unedited and edited, of a run whose payload is redacted."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from engine.contract import Json
from engine.runs.redaction import MASK
from engine.runs.strict_json import canonical
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests.e2e import runs

PAYLOAD: dict[str, Json] = {
    "client": "Köhler & Söhne",
    "maxAgeHours": 30.0,
    "agentToken": "s3cr3t-t0ken",
    "devices": [{"name": "nas", "report": '{"ok": true, "ageHours": 3}'}],
}


def _stored(store: Store, run_id: str) -> Json:
    with store.reading() as session:
        return session.get_one(WorkflowRun, run_id).input_json


@pytest.fixture
def old(page: Page) -> str:
    """Its page is open, and it has ended."""
    run_id = runs.start(page, "backup-review", json.dumps(PAYLOAD))
    runs.comes_to_be(page, "SUCCEEDED")
    assert "s3cr3t-t0ken" not in page.content()
    return run_id


def test_unedited_it_sends_no_payload_and_runs_with_the_original(
    page: Page, old: str, product_store: Store
) -> None:
    page.get_by_role("link", name="Replay", exact=True).click()
    page.get_by_label("Reason").fill("The agent is back")
    new, sent = runs.replay(page, old)
    assert new != old
    assert set(sent) == {"csrf_token", "token", "reason"}
    expect(page.get_by_text("The agent is back", exact=True)).to_be_visible()
    runs.comes_to_be(page, "SUCCEEDED")
    assert canonical(_stored(product_store, new)) == canonical(_stored(product_store, old))
    assert canonical(_stored(product_store, new)) == canonical(PAYLOAD)


def test_edited_it_sends_the_edit_and_keeps_what_is_masked(
    page: Page, old: str, product_store: Store
) -> None:
    page.get_by_role("link", name="Replay", exact=True).click()
    page.get_by_role("link", name="Edit payload").click()
    text = page.get_by_label("Payload").input_value()
    assert MASK in text
    assert "s3cr3t-t0ken" not in page.content()
    page.get_by_label("Payload").fill(text.replace("Köhler", "Kohler"))
    page.get_by_label("Reason").fill("It is spelt otherwise")
    new, sent = runs.replay(page, old)
    assert "Kohler" in sent["payload"][0]
    runs.comes_to_be(page, "SUCCEEDED")
    edited = PAYLOAD | {"client": "Kohler & Söhne"}
    assert canonical(_stored(product_store, new)) == canonical(edited)
