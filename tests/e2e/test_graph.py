"""The picture of a run in a real browser: keyboard, zoom in place, polls, and no scripts at all."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.store.runs import WorkflowRun
from tests import builders
from tests.e2e.conftest import Seen
from tests.unit.drawing.documents import action, branch, document, loop

BODY = "root.steps[0].body.steps[0]"
NEXT = "root.steps[1].then.steps[0]"


@pytest.fixture
def run(seen: Seen) -> WorkflowRun:
    shown = document(loop([action()]), branch([action("yes")], [action("no")]))
    of, _ = builders.published(seen.store, "drawn", document=shown)
    run = builders.run(of)
    builders.save(
        seen.store,
        run,
        builders.step(run, path="root.steps[0]", kind="control.forEach"),
        *(builders.step(run, path=BODY, iter=(number,)) for number in range(2)),
        builders.step(run, "STARTED", path="root.steps[1]", kind="control.if"),
    )
    return run


def width(page: Page) -> int:
    return int(
        page.locator("#graph").evaluate("(e) => Math.round(e.getBoundingClientRect().width)")
    )


def test_steps_are_reached_by_keyboard_in_the_order_of_execution(
    look: Callable[..., Page], run: WorkflowRun
) -> None:
    page = look()
    page.goto(f"/runs/{run.run_id}/graph")
    page.locator("#graph-scroll").focus()
    names = []
    for _ in range(3):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert names == [
        "loop-1, control.forEach, SUCCEEDED, 1 time",
        "act-2, action.call, SUCCEEDED, 2 times",
        "choose-3, control.if, STARTED, 1 time",
    ]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/runs/{run.run_id}\?step=.*#the-step"))


def test_a_script_zooms_in_place_and_a_poll_keeps_the_zoom_and_the_focus(
    look: Callable[..., Page], seen: Seen, run: WorkflowRun
) -> None:
    page = look()
    page.goto(f"/runs/{run.run_id}/graph")
    before = width(page)
    page.evaluate("window.same = true")
    page.get_by_role("link", name="50 %", exact=True).click()
    expect(page).to_have_url(re.compile("zoom=50"))
    assert width(page) == pytest.approx(before / 2, abs=2)
    page.locator("#graph-scroll").focus()
    page.keyboard.press("+")
    assert before / 2 < width(page) < before
    zoomed = width(page)
    page.keyboard.press("Tab")
    builders.save(seen.store, builders.step(run, "STARTED", path=NEXT))
    expect(page.locator(f'[id="node-{NEXT}"]')).to_have_attribute(
        "aria-label", "yes-4, action.call, STARTED, 1 time"
    )
    assert width(page) == zoomed
    assert page.evaluate("document.activeElement.id") == "node-root.steps[0]"
    assert page.evaluate("window.same")


def test_it_is_dragged_with_a_mouse_and_a_drag_opens_nothing(
    look: Callable[..., Page], run: WorkflowRun
) -> None:
    page = look(viewport={"width": 800, "height": 500})
    page.goto(f"/runs/{run.run_id}/graph?zoom=200")
    area = page.locator("#graph-scroll")
    area.evaluate("(e) => { e.scrollTop = 0; e.scrollLeft = 0; }")
    step = page.locator(".node").first.bounding_box()
    assert step is not None
    x, y = step["x"] + 60, step["y"] + 30
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 90, steps=4)
    page.mouse.up()
    assert area.evaluate("(e) => e.scrollTop") == pytest.approx(90, abs=3)
    expect(page).to_have_url(re.compile("/graph"))


def test_without_scripts_zoom_links_and_steps_work(
    look: Callable[..., Page], run: WorkflowRun
) -> None:
    page = look(java_script_enabled=False)
    page.goto(f"/runs/{run.run_id}/graph")
    before = width(page)
    page.get_by_role("link", name="50 %", exact=True).click()
    assert width(page) == pytest.approx(before / 2, abs=2)
    page.get_by_role("link", name="act-2, action.call").click()
    expect(page).to_have_url(re.compile(rf"/runs/{run.run_id}\?step=.*#the-step"))
