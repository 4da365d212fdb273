"""Small things that make the pages pleasant: times, focus, links to a step, quiet, paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests import builders
from tests.e2e.conftest import Seen
from tests.scene.served import Scene

HEAR = """() => {
  window.heard = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.nodeType === 1 ? target : target.parentElement;
      const spoken = element?.closest("[role=status], [role=alert]");
      if (spoken && !element.closest("[aria-live=off]")) window.heard.push(element.outerHTML);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
"""Notes what a screen reader would be told."""

Visit = Callable[..., Page]


def test_times_are_in_the_readers_zone_with_utc_on_hover(visit: Visit, scene: Scene) -> None:
    page = visit(timezone_id="Asia/Kathmandu", locale="en-GB")
    page.goto(scene.pages["run-canceled"])
    at = page.locator(".facts time").first
    expect(at).to_have_text("23/11/2026, 13:45:00")
    expect(at).to_have_attribute("title", "2026-11-23 08:00:00 UTC")
    expect(page.locator("#zone")).to_contain_text("Times are in Asia/")
    plain = visit(java_script_enabled=False)
    plain.goto(scene.pages["run-canceled"])
    expect(plain.locator(".facts time").first).to_have_text("2026-11-23 08:00:00 UTC")
    expect(plain.locator("#zone")).to_have_text("Times are in UTC.")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripted", "plain"])
def test_a_link_to_a_step_opens_it(visit: Visit, scene: Scene, scripts: bool) -> None:
    page = visit(java_script_enabled=scripts)
    page.goto(scene.pages["run-failed"])
    page.locator("#steps summary").last.click()
    page.get_by_role("link", name="Calls and log of this step").click()
    opened = page.locator(".step-chosen > details[open]")
    expect(opened).to_have_count(1)
    expect(opened).to_contain_text("The monitoring service answered 502")
    expect(opened.locator("summary").first).to_be_in_viewport()


def test_what_is_wrong_is_focused_and_said_beside_its_field(visit: Visit, scene: Scene) -> None:
    page = visit()
    page.goto(scene.pages["run-dialog"])
    page.get_by_label("Client").fill("")
    page.get_by_role("button", name="Run", exact=True).click()
    wrong = page.locator("#run-form [aria-invalid=true]")
    expect(wrong.first).to_be_focused()
    for field in wrong.all():
        described = (field.get_attribute("aria-describedby") or "").split()
        assert any(page.locator(f"[id='{one}']").inner_text() for one in described)


def test_a_choice_of_the_look_holds_against_the_systems(visit: Visit, scene: Scene) -> None:
    page = visit(color_scheme="light")
    page.goto(scene.pages["workflows"])
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    looks = page.get_by_role("navigation", name="Look")
    looks.get_by_role("link", name="Dark").click()
    expect(page).to_have_url(re.compile("/workflows$"))
    assert page.evaluate(ground) != light
    expect(looks.get_by_role("link", name="Dark")).to_have_attribute("aria-current", "true")
    page.emulate_media(color_scheme="dark")
    looks.get_by_role("link", name="Light").click()
    assert page.evaluate(ground) == light


def test_nothing_moves_where_less_motion_is_wanted(visit: Visit, scene: Scene) -> None:
    page = visit(reduced_motion="reduce")
    for name in ("runs", "run-going-on", "run-graph-fit"):
        page.goto(scene.pages[name])
        assert page.evaluate("document.getAnimations().length") == 0, name


@pytest.mark.parametrize("name", ["run-failed", "run-log", "run-calls", "run-audit",
                                  "run-timeline", "run-graph"])  # fmt: skip
def test_title_and_icon_of_each_page_of_a_run_carry_its_status(
    visit: Visit, scene: Scene, name: str
) -> None:
    page = visit()
    page.goto(scene.pages[name])
    expect(page).to_have_title(re.compile("^FAILED · "))
    expect(page.locator("#icon")).to_have_attribute("href", re.compile("favicon-failed"))


def test_a_list_is_filtered_at_once_by_pointer_and_on_enter_by_keyboard(
    visit: Visit, scene: Scene
) -> None:
    page = visit()
    page.goto("/runs")
    page.locator("#workflow").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert "workflow=" not in page.url
    page.get_by_role("button", name="Apply").press("Enter")
    expect(page).to_have_url(re.compile("workflow=[a-z]"))
    page.goto("/runs")
    page.get_by_label("FAILED").check()
    expect(page).to_have_url(re.compile("status=FAILED"))


def test_nothing_jumps_when_the_scripts_have_run(visit: Visit, scene: Scene) -> None:
    """What a script changes while a page is loaded takes the place that was kept for it."""
    page = visit()
    page.add_init_script(
        "window.shifted = 0; new PerformanceObserver((list) => { for (const entry of"
        " list.getEntries()) window.shifted += entry.value; })"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    for name in ("runs", "run-failed", "run-waiting", "run-log", "waits", "workflow"):
        page.goto(scene.pages[name])
        page.wait_for_timeout(100)
        assert page.evaluate("window.shifted") < 0.01, name


def test_a_run_on_paper_has_its_facts_and_no_controls(visit: Visit, scene: Scene) -> None:
    page = visit(color_scheme="dark")
    page.goto(scene.pages["run-failed"])
    page.emulate_media(media="print")
    expect(page.locator("#run-id")).to_be_visible()
    expect(page.locator("#error-title")).to_be_visible()
    for gone in (".top nav", ".controls", ".tabs", ".looks"):
        expect(page.locator(gone).first).to_be_hidden()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"


def test_what_is_announced_is_announced_once(look: Visit, seen: Seen) -> None:
    of, _ = builders.published(seen.store, "greet")
    run = builders.run(of)
    builders.save(seen.store, run)
    page = look()
    seen.clock.forward(seconds=120)
    page.goto(f"/runs/{run.run_id}")
    expect(page.locator("#run-banner")).to_contain_text("Queued")
    page.evaluate(HEAR)
    page.wait_for_timeout(4500)
    assert page.evaluate("window.heard") == []
    builders.save(seen.store, builders.step(run, "STARTED"))
    expect(page.locator("#run-banner")).to_be_empty()
    assert page.evaluate("window.heard.length") > 0


def test_the_title_of_the_list_counts_what_is_new(look: Visit, seen: Seen) -> None:
    of, _ = builders.published(seen.store, "greet")
    builders.save(seen.store, builders.run(of))
    page = look()
    page.goto("/runs")
    expect(page).to_have_title("Runs · Run Studio")
    builders.save(seen.store, builders.run(of, started_at=builders.NOW + timedelta(seconds=1)))
    expect(page).to_have_title("(1 new run) Runs · Run Studio")
