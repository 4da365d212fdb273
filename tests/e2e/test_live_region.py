"""A page that is polled: what is open, typed or focused survives, and polling ends by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Request, expect

from engine.store.runs import WorkflowRun
from tests import builders
from tests.e2e.conftest import Seen, complaints

Look = Callable[..., Page]


@pytest.fixture
def run(seen: Seen) -> WorkflowRun:
    of, _ = builders.published(seen.store, "greet", name="Greet somebody")
    run = builders.run(of)
    builders.save(seen.store, run)
    return run


def _polls(page: Page) -> list[str]:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "hx-request" in request.headers:
            asked.append(request.url)

    page.on("request", note)
    return asked


def _end(seen: Seen, run: WorkflowRun) -> None:
    with seen.store.writing() as session:
        row = session.get_one(WorkflowRun, run.run_id)
        row.status, row.completed_at = "SUCCEEDED", builders.NOW + timedelta(seconds=5)
        row.updated_at = builders.NOW + timedelta(seconds=5)


def test_what_is_open_typed_and_focused_survives_a_poll(
    look: Look, seen: Seen, run: WorkflowRun
) -> None:
    builders.save(seen.store, builders.step(run, input_json={"a": 1}))
    page = look()
    page.goto(f"/runs/{run.run_id}")
    page.locator("#steps summary").first.click()
    page.locator("#ask-cancel > summary").click()
    page.locator("#cancel-reason").press_sequentially("half a rea")
    page.evaluate("window.stillThere = true")
    later = builders.NOW + timedelta(seconds=1)
    step = builders.step(run, "STARTED", path="root.steps[1]", name="Second", updated_at=later)
    builders.save(seen.store, step)
    expect(page.get_by_text("Second")).to_be_visible()
    expect(page.locator("#steps details").first).to_have_attribute("open", "")
    expect(page.locator("#cancel-reason")).to_have_value("half a rea")
    expect(page.locator("#cancel-reason")).to_be_focused()
    assert page.evaluate("window.stillThere")


def test_polling_ends_when_the_run_has(look: Look, seen: Seen, run: WorkflowRun) -> None:
    builders.save(seen.store, builders.step(run))
    page = look()
    said, asked = complaints(page), _polls(page)
    page.goto(f"/runs/{run.run_id}")
    page.wait_for_timeout(4500)
    assert 1 <= len(asked) <= 3
    assert all(url.endswith(run.run_id) for url in asked), "the banner asks no more"
    _end(seen, run)
    expect(page.locator("#run-live .badge").first).to_have_text("SUCCEEDED")
    expect(page).to_have_title("SUCCEEDED · Greet somebody · " + run.run_id[:8] + " · Run Studio")
    asked.clear()
    page.wait_for_timeout(4500)
    assert asked == []
    assert said == []


def test_an_unchanged_run_is_answered_by_304_and_not_drawn_again(
    look: Look, seen: Seen, run: WorkflowRun
) -> None:
    builders.save(seen.store, builders.step(run))
    page = look()
    page.goto(f"/runs/{run.run_id}")
    page.evaluate("document.querySelector('#run-live h1').dataset.mine = 'kept'")
    statuses: list[int] = []
    page.on("response", lambda r: statuses.append(r.status) if "/runs/" in r.url else None)
    page.wait_for_timeout(4500)
    assert statuses
    assert set(statuses) == {304}
    assert page.locator("#run-live h1").get_attribute("data-mine") == "kept"


def test_the_banner_comes_and_goes_by_itself(look: Look, seen: Seen, run: WorkflowRun) -> None:
    page = look()
    asked = _polls(page)
    page.goto(f"/runs/{run.run_id}")
    seen.clock.forward(seconds=59)
    page.wait_for_timeout(2500)
    expect(page.locator("#run-banner")).to_be_empty()
    seen.clock.forward(seconds=2)
    expect(page.locator("#run-banner")).to_contain_text("Queued", timeout=4000)
    builders.save(seen.store, builders.step(run, "STARTED"))
    expect(page.locator("#run-banner")).to_be_empty(timeout=4000)
    page.wait_for_timeout(300)
    asked.clear()
    page.wait_for_timeout(4500)
    assert not any(url.endswith("/banner") for url in asked)


def test_a_cancel_shows_the_fresh_state_in_place(look: Look, seen: Seen, run: WorkflowRun) -> None:
    assert run.temporal_workflow_id is not None
    seen.engine.put(run.temporal_workflow_id)
    builders.save(seen.store, builders.step(run, "STARTED"))
    page = look()
    page.goto(f"/runs/{run.run_id}")
    page.evaluate("window.stillThere = true")
    page.locator("#ask-cancel > summary").click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("#cancel-error")).to_be_visible()
    page.locator("#cancel-reason").fill("Wrong customer")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("Cancel requested", exact=True)).to_be_visible()
    assert page.evaluate("window.stillThere"), "the page was loaded again"


def test_a_server_that_does_not_answer_is_said_and_the_page_stays(
    look: Look, seen: Seen, run: WorkflowRun
) -> None:
    builders.save(seen.store, builders.step(run))
    page = look()
    page.goto(f"/runs/{run.run_id}")
    page.route("**/runs/*", lambda route: route.fulfill(status=503, body="<p>gone</p>"))
    expect(page.locator("#stalled")).to_be_visible()
    expect(page.locator("#run-live h1")).to_contain_text("Greet somebody")
    page.unroute("**/runs/*")
    expect(page.locator("#stalled")).to_be_hidden()
    _end(seen, run)
    expect(page.locator("#run-live .badge").first).to_have_text("SUCCEEDED")


def test_a_session_that_has_ended_leads_to_sign_in_and_back(
    look: Look, seen: Seen, run: WorkflowRun
) -> None:
    page = look()
    page.goto(f"/runs/{run.run_id}")
    seen.clock.forward(hours=13)
    page.wait_for_url(re.compile(r"/sign-in\?next="))
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_label("Email").fill("operator@example.com")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/runs/{run.run_id}")


def test_without_scripts_the_page_reloads_itself_until_one_wants_to_type(
    look: Look, seen: Seen, run: WorkflowRun
) -> None:
    page = look(java_script_enabled=False)
    page.goto(f"/runs/{run.run_id}")
    page.get_by_role("link", name="Stop reloading").click()
    expect(page).to_have_url(f"{seen.url}/runs/{run.run_id}?reload=off")
    assert page.locator("meta[http-equiv=refresh]").count() == 0
