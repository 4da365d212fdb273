"""Run now: by the generated form and by raw JSON, watched until it has ended."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests.e2e import runs


def test_a_run_started_by_the_form_is_watched_until_it_succeeds(
    page: Page, scripted: bool, product_store: Store
) -> None:
    page.goto("/workflows")
    page.get_by_role("link", name="Ticket triage").first.click()
    page.get_by_role("link", name="Run", exact=True).click()
    page.get_by_label("Ticket number").fill("T-42")
    page.get_by_label("Impact").select_option("the whole site")
    page.get_by_role("button", name="Run", exact=True).click()
    run_id = runs.run_id(page)
    if scripted:
        page.evaluate("window.stillThere = true")
    runs.comes_to_be(page, "SUCCEEDED")
    expect(page).to_have_title("SUCCEEDED · Ticket triage · " + run_id[:8] + " · Run Studio")
    assert page.locator("#run-live li[id^='step-']").count() > 3
    if scripted:
        assert page.evaluate("window.stillThere"), "the page was loaded again"
    with product_store.reading() as session:
        stored = session.get_one(WorkflowRun, run_id).input_json
    assert isinstance(stored, dict)
    assert (stored["number"], stored["impact"]) == ("T-42", "the whole site")


def test_a_run_started_by_raw_json_succeeds(page: Page, product_store: Store) -> None:
    payload = {"client": "Contoso", "devices": [{"name": "nas", "report": '{"ok": true}'}]}
    run_id = runs.start(page, "backup-review", json.dumps(payload))
    runs.comes_to_be(page, "SUCCEEDED")
    page.goto("/runs")
    expect(page.locator(f"a[href='/runs/{run_id}']").first).to_be_visible()
    with product_store.reading() as session:
        assert session.get_one(WorkflowRun, run_id).input_json == payload


def test_what_was_typed_is_kept_beside_what_is_wrong(page: Page) -> None:
    page.goto("/workflows/ticket-triage/run")
    page.get_by_label("Ticket number").fill("not one")
    page.get_by_label("Client").fill("Müller & <Söhne>")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_label("Ticket number")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Ticket number")).to_have_value("not one")
    expect(page.get_by_label("Client")).to_have_value("Müller & <Söhne>")
    page.get_by_label("Ticket number").fill("T-7")
    page.get_by_role("button", name="Run", exact=True).click()
    runs.run_id(page)
