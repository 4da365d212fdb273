"""Cancelling a run that waits."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e import runs

WAITS = """{"number": "T-1", "client": "Contoso", "subject": "Server down", "body": "all of us",
 "impact": "the whole site", "vip": true, "escalateAfterSeconds": 60}"""


def test_a_waiting_run_is_cancelled_with_a_reason(page: Page) -> None:
    runs.start(page, "ticket-triage", WAITS)
    runs.comes_to_be(page, "WAITING")
    page.locator("#ask-cancel > summary").click()
    page.get_by_label("Reason").fill("The wrong customer")
    page.get_by_role("button", name="Cancel the run").click()
    runs.comes_to_be(page, "CANCELED")
    expect(page.locator("#run-live")).to_contain_text("The wrong customer")
    expect(page.locator("#ask-cancel")).to_have_count(0)


def test_without_a_reason_it_asks_for_one(page: Page) -> None:
    runs.start(page, "ticket-triage", WAITS)
    runs.comes_to_be(page, "WAITING")
    page.locator("#ask-cancel > summary").click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("#cancel-error")).to_contain_text("Say why")
    page.get_by_label("Reason").fill("The wrong customer")
    page.get_by_role("button", name="Cancel the run").click()
    runs.comes_to_be(page, "CANCELED")
