"""Every page by keyboard alone: Tab comes to each control, shows where it is, and goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests import builders
from tests.e2e.conftest import Seen
from tests.scene.served import Scene

WATCH: Final = """() => {
  const shows = (e) => {
    const style = getComputedStyle(e);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  const wanted = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
  )].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled)
    .filter((e) => e.type !== "radio" || e.checked);
  const native = "a, button, input, select, textarea, summary, [role=region], [role=group]";
  window.left = new Set(wanted);
  window.faults = wanted
    .filter((e) => !e.matches(native))
    .map((e) => `Enter does nothing on ${e.outerHTML.slice(0, 100)}`);
  document.addEventListener("focusin", ({ target }) => {
    window.left.delete(target);
    const ring = shows(target) || target.closest("label") && shows(target.closest("label"))
      || target.matches("a.node:focus-visible");
    if (!ring) window.faults.push(`no focus is seen on ${target.outerHTML.slice(0, 100)}`);
  });
  return wanted.length;
}"""
"""Notes what was focused, without a question to the browser after each key."""
MISSED: Final = "() => [...window.left].map((e) => `not reached: ${e.outerHTML.slice(0, 120)}`)"


@pytest.mark.timeout(600)
def test_every_control_of_every_page_is_reached_by_tab_and_shows_its_focus(
    visit: Callable[..., Page], scene: Scene
) -> None:
    page = visit(reduced_motion="reduce")
    faults: list[str] = []
    for name, address in scene.pages.items():
        page.goto(address)
        controls = page.evaluate(WATCH)
        for _ in range(controls + 3):  # scrolled boxes are stops as well
            page.keyboard.press("Tab")
        for _ in range(30):
            if page.evaluate("document.activeElement === document.body || window.left.size === 0"):
                break
            page.keyboard.press("Tab")
        else:
            faults.append(f"{name}: Tab does not come to an end")
        faults += [f"{name}: {one}" for one in page.evaluate(MISSED)]
        faults += [f"{name}: {one}" for one in page.evaluate("window.faults")]
    assert faults == []


def test_a_run_is_cancelled_by_keyboard_alone(look: Callable[..., Page], seen: Seen) -> None:
    of, _ = builders.published(seen.store, "greet")
    run = builders.run(of)
    builders.save(seen.store, run, builders.step(run, "STARTED"))
    assert run.temporal_workflow_id is not None
    seen.engine.put(run.temporal_workflow_id)
    page = look()
    page.goto(f"/runs/{run.run_id}")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#ask-cancel') !== null"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#cancel-error")).to_be_visible()
    expect(page.locator("#cancel-reason")).to_be_focused()
    page.keyboard.type("Wrong customer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Cancel requested", exact=True)).to_be_visible()
