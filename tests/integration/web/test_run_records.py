"""Log, calls and audit trail of a run: filtered, paged, redacted, and whole without a script."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.services.run_durations import together
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.integration.web.marks import on_both

SECRET = "canary-of-this-run"


@pytest.fixture
def run(store: Store, of: WorkflowDefinition) -> WorkflowRun:
    made = builders.run(of, "FAILED", input_json={"api_key": SECRET})
    builders.save(store, made)
    return made


def _lines(page: Page) -> list[str]:
    return [a["id"] for a in page.all("li") if a.get("id", "").startswith("log-")]


@on_both
def test_the_log_is_filtered_by_level_step_and_words(
    operator: Browser, store: Store, run: WorkflowRun
) -> None:
    told = builders.log(run, "The nightly backup is late", step_path="root.steps[1]")
    bad = builders.log(run, "It broke", level="ERROR", context_json={"code": "E-77"})
    fine = builders.log(run, "Began", level="DEBUG", step_path="root.steps[0]")
    builders.save(store, told, bad, fine)
    expected = {
        "": {told, bad, fine},
        "level=WARN": {bad},
        "level=info": {told, bad},
        "step=root.steps[1]": {told},
        "q=BACKUP": {told},
        "q=e-77": {bad},
        "q=backup&level=ERROR": set(),
    }
    for query, lines in expected.items():
        found = _lines(operator.page(f"/runs/{run.run_id}/log?{query}"))
        assert set(found) == {f"log-{line.log_id}" for line in lines}, query


@on_both
def test_all_lines_are_read_page_by_page_newest_first(
    operator: Browser, store: Store, run: WorkflowRun
) -> None:
    lines = [
        builders.log(
            run, f"line {number}", created_at=builders.NOW + timedelta(seconds=number // 2)
        )
        for number in range(230)
    ]
    builders.save(store, *lines)
    address: str | None = f"/runs/{run.run_id}/log?q=line"
    found: list[str] = []
    while address:
        page = operator.page(address)
        found += _lines(page)
        address = next((a["href"] for a in page.all("a") if a.get("rel") == "next"), None)
    newest = sorted(lines, key=lambda line: (line.created_at, line.log_id), reverse=True)
    assert found == [f"log-{line.log_id}" for line in newest]


def test_a_search_does_not_tell_what_is_masked(
    operator: Browser, store: Store, run: WorkflowRun
) -> None:
    builders.save(
        store,
        builders.log(run, f"Sent {SECRET} there", context_json={"password": "hunter2"}),
        builders.invocation(
            run, "SUCCEEDED", input_json={"token": SECRET}, output_json={"echo": SECRET}
        ),
    )
    for page in ("log", "calls", "audit", f"log?q={SECRET[:6]}", "log?q=hunter"):
        response = operator.get(f"/runs/{run.run_id}/{page}")
        assert response.status_code == 200
        assert SECRET not in response.text
    for word in (SECRET, "canary", "hunter2"):
        assert _lines(operator.page(f"/runs/{run.run_id}/log?q={word}")) == []


def test_calls_show_what_was_sent_and_what_came_back(
    viewer: Browser, store: Store, run: WorkflowRun
) -> None:
    call = builders.invocation(
        run, "FAILED", action_id="http.request", attempt=3, input_json={"url": "https://x.example"},
        error_json={"category": "TransientError", "message": "502"}, completed_at=builders.NOW,
    )  # fmt: skip
    builders.save(store, call)
    text = viewer.page(f"/runs/{run.run_id}/calls").text
    for said in ("http.request", "attempt 3", "https://x.example", "502", call.idempotency_key):
        assert said in text


def test_the_audit_trail_holds_deeds_and_refusals(
    operator: Browser, viewer: Browser, store: Store, of: WorkflowDefinition
) -> None:
    open_run = builders.run(of, "SUCCEEDED")
    builders.save(store, open_run)
    address = f"/runs/{open_run.run_id}"
    operator.submit(operator.page(f"{address}/replay").form(f"{address}/replay"), reason="Again")
    assert viewer.post(f"{address}/cancel", {"reason": "because"}).status_code == 403
    text = viewer.page(f"{address}/audit").text
    assert operator.operator is not None
    assert viewer.operator is not None
    assert "workflow_run_cancel denied " + viewer.operator.email in text
    other = builders.run(of)
    builders.save(store, other)
    assert "Nobody has done anything" in viewer.page(f"/runs/{other.run_id}/audit").text


@pytest.mark.parametrize("query", ["level=LOUD", "q=%00", "step=" + "x" * 300, "cursor=nonsense"])
def test_a_filter_of_the_log_that_means_nothing_is_said(
    operator: Browser, run: WorkflowRun, query: str
) -> None:
    assert operator.get(f"/runs/{run.run_id}/log?{query}").status_code == 422


@on_both
def test_queued_running_and_waiting_are_told_apart(
    operator: Browser, store: Store, of: WorkflowDefinition, clock: Clock
) -> None:
    def at(seconds: int) -> object:
        return builders.NOW + timedelta(seconds=seconds)

    ended = builders.run(of, "SUCCEEDED", claimed_at=at(5), completed_at=at(65))
    waiting = builders.run(of, "WAITING", claimed_at=at(1))
    builders.save(
        store, ended, waiting,
        builders.wait(ended, status="RESOLVED", created_at=at(10), resolved_at=at(30)),
        builders.wait(ended, status="RESOLVED", created_at=at(20), resolved_at=at(35)),
        builders.wait(waiting, created_at=at(11)),
    )  # fmt: skip
    clock.forward(seconds=71)
    text = operator.page(f"/runs/{ended.run_id}").text
    assert "Queued 5.0 s Running 35 s Waiting 25 s" in text
    text = operator.page(f"/runs/{waiting.run_id}").text
    assert "Queued 1.0 s Running 10 s Waiting 1 min" in text


def test_a_run_that_nobody_has_taken_up_has_been_queued_until_now(
    operator: Browser, store: Store, of: WorkflowDefinition, clock: Clock
) -> None:
    run = builders.run(of)
    builders.save(store, run)
    clock.forward(seconds=42)
    page = operator.page(f"/runs/{run.run_id}")
    assert "Queued 42 s" in page.text
    assert "Running 0" not in page.text


@on_both
def test_what_a_run_was_born_of_is_told_beside_who_started_it(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    assert operator.operator is not None
    who = operator.operator
    manual = builders.run(of, started_by=who.operator_id)
    event = builders.run(
        of, trigger_type="event", event_type="INVOICE_PAID", correlation_key=SECRET,
        trigger_metadata_json={"eventId": "e-7", "password": SECRET}, input_json={"token": SECRET},
    )  # fmt: skip
    clock = builders.run(of, trigger_type="recurring")
    replay = builders.run(of, replay_of_run_id=manual.run_id, started_by=who.operator_id)
    child = builders.run(of, parent_run_id=manual.run_id)
    builders.save(store, manual, event, clock, replay, child)
    said = {
        manual: f"by {who.email} Trigger manual",
        event: "Trigger event INVOICE_PAID with key [REDACTED]",
        clock: "Trigger recurring",
        replay: f"by {who.email} Trigger replay",
        child: "Trigger child",
    }
    for run, words in said.items():
        page = operator.page(f"/runs/{run.run_id}")
        assert words in page.text, words
        assert SECRET not in page.html


def test_spans_that_overlap_count_once() -> None:
    def span(start: int, end: int) -> tuple[object, object]:
        return builders.NOW + timedelta(seconds=start), builders.NOW + timedelta(seconds=end)

    spans = [span(0, 10), span(2, 4), span(9, 12), span(20, 21), span(20, 20)]
    assert together(spans) == timedelta(seconds=13)  # type: ignore[arg-type]
    assert together([]) == timedelta()
