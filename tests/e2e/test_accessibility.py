"""Every page passes axe, in light and dark and on a phone, and works by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests import builders
from tests.e2e.conftest import Seen

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa",
                                               "best-practice"]}}  # fmt: skip
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 375, "height": 800}, "color_scheme": "light"},
}


@pytest.fixture
def addresses(seen: Seen) -> list[str]:
    """Pages in every state that looks different."""
    document = builders.document("full", steps=[{"id": "one", "type": "state.set", "state": "x"}])
    of = builders.definition("full", name="Full of things", description="What it does")
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": "Of whom"},
            "plan": {"enum": ["a", "b"]},
            "list": {"type": "array", "items": {"type": "string"}},
            "yes": {"type": "boolean"},
        },
    }
    version = builders.version(of, definition_json=document, payload_schema_json=schema)
    builders.save(seen.store, of, version)
    error = {"category": "ActionError", "message": "It broke"}
    failed = builders.run(of, "FAILED", error_json=error)
    waiting = builders.run(of, "WAITING", cancel_requested_at=builders.NOW, cancel_reason="because")
    queued = builders.run(of, started_at=builders.NOW - timedelta(minutes=5))
    builders.save(
        seen.store, failed, waiting, queued,
        builders.step(failed, "RETRY_SCHEDULED", attempt=1, error_json={"message": "once"}),
        builders.step(failed, "FAILED", attempt=2, input_json={"a": 1}, error_json=error),
        builders.log(failed, level="ERROR"), builders.log(failed, level="WARN"),
        builders.wait(waiting), builders.step(waiting, "STARTED"),
        builders.invocation(failed, "FAILED", input_json={"a": 1}, error_json=error),
    )  # fmt: skip
    task = builders.wait(waiting, "human", payload={"title": "Approve it"})
    builders.save(
        seen.store, task, builders.wait(waiting, "quota", payload={"limit": 5}),
        builders.human_task(waiting, task_id=task.wait_id, form_json=schema, context_json={"a": 1}),
    )  # fmt: skip
    run = f"/runs/{failed.run_id}"
    return [
        "/runs", "/runs?status=CANCELED", run, f"/runs/{waiting.run_id}", f"/runs/{queued.run_id}",
        f"{run}/graph", f"/runs/{waiting.run_id}/graph?zoom=fit", "/workflows/full/graph",
        f"{run}/compare", f"{run}/compare?with={waiting.run_id}", f"{run}/compare?with=nope",
        f"{run}/replay", f"{run}/replay?edit=1", "/workflows", "/workflows/full",
        "/workflows/full/run", "/runs/nope", "/waits", "/waits?mine=1",
        f"/waits/{task.wait_id}/answer", f"{run}/log", f"{run}/log?level=ERROR&q=nothing",
        f"{run}/calls", f"{run}/audit", f"{run}/timeline", f"/runs/{queued.run_id}/calls",
    ]  # fmt: skip


@pytest.mark.parametrize("how", list(LOOKS))
def test_every_page_passes_axe_and_fits_the_window(
    look: Callable[..., Page], addresses: list[str], how: str
) -> None:
    page = look(**LOOKS[how])
    faults: list[str] = []
    for address in addresses:
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        found = Axe().run(page, options=RULES)
        faults += [
            f"{address}: {fault['id']}: {node['html'][:120]}"
            for fault in found.response["violations"]
            for node in fault["nodes"]
        ]
        width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if width > 0:
            faults.append(f"{address} is {width} px too wide")
    assert faults == []


def test_targets_are_at_least_24_pixels(look: Callable[..., Page], addresses: list[str]) -> None:
    page = look()
    small: list[str] = []
    for address in addresses:
        page.goto(address)
        small += page.evaluate(
            """() => [...document.querySelectorAll("button, .button, summary, select, nav a, td a")]
              .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24)
              .map((e) => e.outerHTML.slice(0, 120))"""
        )
    assert small == []


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
    page.keyboard.type("Wrong customer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Cancel requested", exact=True)).to_be_visible()
