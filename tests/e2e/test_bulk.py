"""Cancelling three waiting runs at once: ticked, looked at, started, and seen to have ended."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e import runs
from tests.e2e.test_cancel import WAITS

REASON = "The wrong customer, three times"


def test_three_waiting_runs_are_cancelled_with_a_receipt_each(page: Page, scripted: bool) -> None:
    started = [runs.start(page, "ticket-triage", WAITS) for _ in range(3)]
    for run_id in started:
        page.goto(f"/runs/{run_id}")
        runs.comes_to_be(page, "WAITING")
    page.goto("/runs?all=1")
    for run_id in started:
        page.locator(f"#row-{run_id} input[name=run]").check()
    if scripted:
        expect(page.locator(".selection-count")).to_have_text("3 selected")
    page.locator("#choose-runs button[value=cancel]").click()

    expect(page.get_by_role("heading", name="Cancel 3 runs?")).to_be_visible()
    expect(page.locator("#bulk-draft")).to_contain_text("3 would be canceled")
    page.get_by_role("button", name="Cancel 3 runs").click()
    expect(page.locator("#reason-error")).to_contain_text("Say why")
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Cancel 3 runs").click()

    expect(page).to_have_url(re.compile(r"/runs/bulk/[0-9a-f-]{36}$"))
    expect(page.locator("#bulk-live")).to_contain_text("3 of 3 done")
    expect(page.locator("#bulk-live .tally-list")).to_contain_text("3 seen to have ended")
    expect(page.locator("#bulk-live .badge-canceled")).to_have_count(3)
    page.locator(f"#item-{started[0]} a").first.click()
    expect(page.locator("#run-live")).to_contain_text(REASON)
    expect(page.locator("#run-live .receipt")).to_contain_text("seen to have ended")


def test_a_view_is_saved_opened_and_deleted(page: Page) -> None:
    page.goto("/runs?status=WAITING&last=24h")
    page.locator("#save-view > summary").click()
    page.get_by_label("Name").fill("Waiting today")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/runs?all=1")
    page.get_by_role("link", name="Waiting today").click()
    expect(page).to_have_url(re.compile(r"status=WAITING&last=24h$"))
    page.get_by_role("link", name="Edit views").click()
    page.get_by_role("button", name="Delete Waiting today").click()
    expect(page.get_by_text("No views yet")).to_be_visible()
