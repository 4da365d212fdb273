"""Keys: the list of them, what they lead to, and that they can be switched off."""

from __future__ import annotations

import re
from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests import builders
from tests.e2e.conftest import Seen
from tests.e2e.test_accessibility import RULES
from tests.scene.served import Scene


def test_keys_lead_to_what_the_list_says_and_can_be_switched_off(
    look: Callable[..., Page], seen: Seen
) -> None:
    of, _ = builders.published(seen.store, "greet")
    run = builders.run(of)
    builders.save(seen.store, run, builders.step(run, "STARTED"))
    page = look()
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text("Jump to a run")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("/workflows$"))
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.locator("#jump")).to_be_focused()
    page.keyboard.type(run.run_id[:8])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/runs/{run.run_id}$"))
    page.wait_for_load_state()
    expect(page.locator("#icon")).to_have_attribute("href", re.compile("favicon-running"))
    page.keyboard.press("c")
    expect(page.locator("#cancel-reason")).to_be_focused()
    page.keyboard.type("?gr")
    expect(page.locator("#cancel-reason")).to_have_value("?gr")
    with seen.store.writing() as session:
        row = session.merge(run)
        row.status, row.completed_at = "SUCCEEDED", builders.NOW
        row.updated_at = builders.NOW.replace(hour=11)
    expect(page.locator("#icon")).to_have_attribute("href", re.compile("favicon-succeeded"))
    page.locator("#keys-open").click()
    page.get_by_label("Keys are on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("r")
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile(f"/runs/{run.run_id}$"))
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_label("Keys are on")).not_to_be_checked()


def test_the_palette_leads_to_commands_and_to_runs(
    visit: Callable[..., Page], scene: Scene
) -> None:
    page = visit()
    page.goto(scene.pages["run-failed"])
    page.keyboard.press("Control+k")
    palette = page.get_by_label("Type a command, or the id of a run")
    expect(palette).to_be_focused()
    expect(page.get_by_role("button", name="Cancel this run")).to_be_disabled()
    page.evaluate(Axe().axe_script)
    found = page.evaluate("(options) => axe.run('#keys', options)", RULES)
    assert [fault["id"] for fault in found["violations"]] == []
    page.keyboard.type("timel")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/timeline$"))
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(palette).to_be_focused()
    page.keyboard.type(scene.desk.runs["waiting"][:13])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(scene.desk.runs["waiting"] + "$"))
    page.wait_for_load_state()
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("/log$"))


def test_a_key_right_after_the_list_was_closed_counts(
    look: Callable[..., Page], seen: Seen
) -> None:
    """Until the next frame is drawn, the field of the closed list has the focus still."""
    page = look()
    page.wait_for_load_state()
    page.evaluate(
        """() => {
            const press = (on, key) =>
                on.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
            press(document.body, "?");
            const field = document.getElementById("palette");
            document.getElementById("keys").close();
            press(field, "g");
            press(document.body, "w");
        }"""
    )
    expect(page).to_have_url(re.compile("/workflows$"))
