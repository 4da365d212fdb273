"""A step's own address in the browser, a task's form on a page that polls, and a very long run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from engine.store.runs import WorkflowRun
from tests import builders
from tests.e2e.conftest import Seen
from tests.long_runs import DOCUMENT, long_run

FIRST_PAINT_MS = 300
BUSY_MS = 60_000.0
TRIES = 8
FIRST_PAINT = """() => new Promise((tell) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName("first-paint")[0];
  if (paint) tell(paint.startTime);
}).observe({type: "paint", buffered: true}))"""
"""Milliseconds from the beginning of the navigation to the first pixels, as the browser tells."""


@pytest.mark.parametrize("scripts", [True, False])
def test_a_link_to_a_step_opens_it_and_brings_it_into_view(
    look: Callable[..., Page], seen: Seen, scripts: bool
) -> None:
    of, _ = builders.published(seen.store, document=builders.document("long", **DOCUMENT))
    run = long_run(seen.store, of, 400)
    page = look(java_script_enabled=scripts, viewport={"width": 1200, "height": 700})
    page.goto(f"/runs/{run.run_id}/timeline")
    page.get_by_role("link", name="Earlier steps").click()
    page.locator(".gantt tbody a").first.click()
    step = page.locator("li.step-chosen")
    expect(step.locator("> details")).to_have_attribute("open", "")
    expect(step.get_by_role("heading", name="Input")).to_be_in_viewport()
    expect(step.get_by_text("is done")).to_be_visible()
    with page.expect_download() as download:
        step.get_by_role("link", name="Download the output").click()
    assert download.value.suggested_filename.endswith("output.json")


def test_what_is_typed_into_a_tasks_form_survives_the_polls(
    look: Callable[..., Page], seen: Seen
) -> None:
    of, _ = builders.published(seen.store, "asks")
    run = builders.run(of, "WAITING")
    wait = builders.wait(run, "human", payload={"title": "Approve it"})
    form = {
        "type": "object",
        "properties": {
            "note": {"type": "string"},
            "plan": {"enum": ["a", "b"]},
            "lines": {"type": "array", "items": {"type": "string"}},
        },
    }
    task = builders.human_task(run, task_id=wait.wait_id, form_json=form)
    builders.save(seen.store, run, builders.step(run, "STARTED"), wait, task)
    page = look()
    page.goto(f"/runs/{run.run_id}")
    page.get_by_label("lines").fill("one\ntwo")
    page.get_by_label("plan").select_option("b")
    page.get_by_label("note").press_sequentially("half a no")
    with seen.store.writing() as session:
        row = session.get_one(WorkflowRun, run.run_id)
        row.state_label, row.updated_at = "moved on", builders.NOW + timedelta(seconds=3)
    expect(page.get_by_text("moved on")).to_be_visible()
    expect(page.get_by_label("note")).to_have_value("half a no")
    expect(page.get_by_label("note")).to_be_focused()
    expect(page.get_by_label("plan")).to_have_value("b")
    expect(page.get_by_label("lines")).to_have_value("one\ntwo")


def test_the_page_of_a_run_of_5000_steps_is_painted_within_300_ms(
    look: Callable[..., Page], seen: Seen
) -> None:
    of, _ = builders.published(seen.store, document=builders.document("long", **DOCUMENT))
    short, long = long_run(seen.store, of, 60), long_run(seen.store, of, 5_000)
    page = look()
    painted: dict[str, float] = {short.run_id: BUSY_MS, long.run_id: BUSY_MS}
    for _ in range(TRIES):
        for run_id, before in painted.items():
            page.goto(f"/runs/{run_id}")
            painted[run_id] = min(before, page.evaluate(FIRST_PAINT))
        if painted[long.run_id] < FIRST_PAINT_MS:
            break
    # On a machine that is busy with something else a short run's page takes as long.
    assert painted[long.run_id] < max(FIRST_PAINT_MS, 2.5 * painted[short.run_id]), painted
