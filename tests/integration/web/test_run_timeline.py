"""A run's steps, logs and waits as its page shows them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both
from tests.long_runs import insert_all


def _steps(page: Page, place: str = "step") -> list[str]:
    return [
        a["id"].removeprefix(f"{place}-")
        for a in page.all("li")
        if a.get("id", "").startswith(f"{place}-root")
    ]


@on_both
def test_the_live_region_holds_the_last_50_occurrences_and_what_is_open(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    loop = builders.step(run, "STARTED", path="root.steps[0]", position=1, kind="control.forEach")
    items = [
        builders.step(run, path="root.steps[0].body.steps[0]", iter=(n,), position=n + 2)
        for n in range(130)
    ]
    builders.save(store, run, loop, *items)
    page = operator.page(f"/runs/{run.run_id}")
    keys = [step.occurrence for step in items]
    assert _steps(page) == ["root.steps[0]", *keys[80:]]

    def earlier(page: Page) -> str:
        return next(link for link in page.links() if "steps_before" in link)

    second = operator.page(earlier(page))
    assert _steps(second, "earlier") == keys[30:80]
    assert _steps(second) == ["root.steps[0]", *keys[80:]]
    still = next(
        link for link in second.links() if "steps_before" in link and link != earlier(page)
    )
    third = operator.page(still)
    assert _steps(third, "earlier") == ["root.steps[0]", *keys[:30]]
    assert not any(meta.get("http-equiv") == "refresh" for meta in third.all("meta"))


@on_both
def test_what_waits_for_its_next_attempt_is_open_until_that_has_begun(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    tried = builders.step(run, "RETRY_SCHEDULED", path="root.steps[0]", position=1)
    again = builders.step(run, "RETRY_SCHEDULED", path="root.steps[1]", position=2)
    done = builders.step(run, path="root.steps[1]", attempt=2, position=3)
    lost = builders.step(run, "STARTED", path="root.steps[2]", position=4, superseded=True)
    builders.save(store, run, tried, again, done, lost)
    insert_all(
        store,
        [builders.step(run, path="root.steps[9]", iter=(n,), position=9 + n) for n in range(50)],
    )
    shown = _steps(operator.page(f"/runs/{run.run_id}"))
    assert shown[0] == tried.occurrence
    assert len(shown) == 51


@on_both
def test_steps_from_before_the_cut_over_are_paged_in_the_order_of_their_beginnings(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "SUCCEEDED", engine="db", epoch=0)
    steps = [
        builders.step(
            run, path=f"root.steps[{n}]", position=None, occurrence=None, iter=None, epoch=0,
            started_at=builders.NOW + timedelta(seconds=n),
        )
        for n in range(120)
    ]  # fmt: skip
    builders.save(store, run)
    insert_all(store, steps)
    page, place, found = operator.page(f"/runs/{run.run_id}"), "step", []
    while True:
        found = [a["id"] for a in page.all("li") if a.get("id", "").startswith(place)] + found
        links = [link for link in page.links() if re.match(r"/runs/.*steps_before", link)]
        if place == "earlier" and len(links) < 2:
            break
        page, place = operator.page(links[-1] if place == "earlier" else links[0]), "earlier"
    assert [key.partition("-")[2] for key in found] == [step.step_id for step in steps]


def test_a_page_of_earlier_steps_is_a_fragment_too(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(
        store, run, builders.step(run, position=1), builders.step(run, path="b", position=2)
    )
    html = operator.get(f"/runs/{run.run_id}?steps_before=2", htmx=True).text
    assert html.strip().startswith('<section id="run-earlier"')
    assert _steps(Page(html), "earlier") == ["root.steps[0]"]


@pytest.mark.parametrize("place", ["x", "-1", "1.5", "9" * 40, "%00", ""])
@on_both
def test_a_place_that_is_none_shows_the_page_as_it_is(
    operator: Browser, store: Store, of: WorkflowDefinition, place: str
) -> None:
    run = builders.run(of)
    builders.save(store, run, builders.step(run))
    assert operator.page(f"/runs/{run.run_id}?steps_before={place}").by_id("run-live")


@on_both
def test_attempts_stand_together_and_iterations_apart(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "FAILED")
    path = "root.steps[0].body.steps[0]"
    builders.save(
        store,
        run,
        builders.step(run, "RETRY_SCHEDULED", path=path, iter=(0,), attempt=1, position=1),
        builders.step(run, path=path, iter=(1, 2), position=2, definition_step_id="second"),
        builders.step(
            run,
            "FAILED",
            path=path,
            iter=(0,),
            attempt=2,
            position=3,
            error_json={
                "category": "ActionError",
                "code": "NOPE",
                "message": "It broke",
                "nodePath": path,
                "details": {"why": "dust"},
            },
        ),
    )
    page = operator.page(f"/runs/{run.run_id}")
    assert _steps(page) == [f"{path}#0", f"{path}#1,2"]
    for said in ("attempt 2", "Attempt 1", "#1.2", "ActionError", "NOPE", "It broke", "dust"):
        assert said in page.text, said


def test_logs_and_waits_are_shown(operator: Browser, store: Store, of: WorkflowDefinition) -> None:
    run = builders.run(of, "WAITING")
    builders.save(
        store,
        run,
        builders.log(run, "It begins", context_json={"depth": 7}),
        builders.wait(run, timeout_at=builders.NOW + timedelta(minutes=5)),
        builders.wait(run, "event", event_name="INVOICE_PAID", key="i-1"),
        builders.wait(run, "event", event_name="ALREADY", status="RESOLVED"),
    )
    text = operator.page(f"/runs/{run.run_id}").text
    for said in ("It begins", '"depth": 7', "until 2026-11-23 09:35:00 UTC", "INVOICE_PAID", "i-1"):
        assert said in text, said
    assert "ALREADY" not in text
