"""The banner of a queued run: when it is there, what it says, when it is gone (PRD goal 5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.gateway.executions import PendingTask
from engine.runs.status import RunStatus
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.workers import WorkerHeartbeat
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.integration.web.marks import on_both


def _run(store: Store, status: str = "RUNNING", **fields: object) -> WorkflowRun:
    of, _ = builders.published(store)
    run = builders.run(of, status, **fields)
    builders.save(store, run)
    return run


def _banner(browser: Browser, run: WorkflowRun) -> Page:
    response = browser.get(f"/runs/{run.run_id}/banner", htmx=True)
    assert response.status_code == 200
    return Page(response.text)


def _polls(page: Page) -> bool:
    element = page.by_id("run-banner")
    assert element is not None
    return "hx-trigger" in element


@on_both
def test_absent_at_59_seconds_and_present_at_61(
    operator: Browser, store: Store, clock: Clock
) -> None:
    run = _run(store)
    clock.forward(seconds=59)
    assert _banner(operator, run).text == ""
    assert "data-verdict" not in operator.page(f"/runs/{run.run_id}").html
    clock.forward(seconds=2)
    assert "Queued" in _banner(operator, run).text
    assert "Queued" in operator.page(f"/runs/{run.run_id}").text


def test_it_is_there_before_it_is_needed_and_asks(operator: Browser, store: Store) -> None:
    run = _run(store)
    assert _polls(_banner(operator, run))
    element = operator.page(f"/runs/{run.run_id}").by_id("run-banner")
    assert element is not None
    assert element["hx-get"] == f"/runs/{run.run_id}/banner"
    assert element["hx-trigger"] == "every 2s"


@pytest.mark.parametrize("status", [s.value for s in RunStatus if s is not RunStatus.RUNNING])
def test_absent_for_every_other_status_and_it_does_not_ask(
    operator: Browser, store: Store, clock: Clock, status: str
) -> None:
    run = _run(store, status)
    clock.forward(seconds=3600)
    page = _banner(operator, run)
    assert page.text == ""
    assert not _polls(page)
    assert "data-verdict" not in operator.page(f"/runs/{run.run_id}").html


@on_both
def test_gone_within_one_poll_of_the_first_step(
    operator: Browser, store: Store, clock: Clock
) -> None:
    run = _run(store)
    clock.forward(seconds=61)
    shown = operator.get(f"/runs/{run.run_id}/banner", htmx=True)
    assert "Queued" in shown.text
    builders.save(store, builders.step(run, "STARTED"))
    clock.forward(seconds=2)
    next_poll = operator.get(
        f"/runs/{run.run_id}/banner", htmx=True, **{"HX-PTag": shown.headers["HX-PTag"]}
    )
    assert next_poll.status_code == 200
    assert Page(next_poll.text).text == ""
    assert not _polls(Page(next_poll.text))


def test_a_step_of_a_lost_task_does_not_count(
    operator: Browser, store: Store, clock: Clock
) -> None:
    run = _run(store)
    builders.save(store, builders.step(run, superseded=True))
    clock.forward(seconds=61)
    assert "Queued" in _banner(operator, run).text


def test_an_unchanged_banner_is_a_304(operator: Browser, store: Store, clock: Clock) -> None:
    run = _run(store)
    address = f"/runs/{run.run_id}/banner"
    for seconds in (10, 61):
        clock.at = builders.NOW + timedelta(seconds=seconds)
        first = operator.get(address, htmx=True)
        clock.forward(seconds=2)
        same = operator.get(address, htmx=True, **{"HX-PTag": first.headers["HX-PTag"]})
        assert (same.status_code, same.data) == (304, b"")


def test_without_javascript_it_is_a_page_of_its_own(
    operator: Browser, store: Store, clock: Clock
) -> None:
    run = _run(store)
    assert "This run is not queued." in operator.page(f"/runs/{run.run_id}/banner").text
    clock.forward(seconds=61)
    page = operator.page(f"/runs/{run.run_id}/banner")
    assert "Queued" in page.text
    assert f"/runs/{run.run_id}" in page.links()


def _worker(store: Store, clock: Clock, fingerprint: str) -> None:
    builders.save(
        store,
        WorkerHeartbeat(
            identity="1@host-x",
            state="running",
            task_queue="run-studio",
            namespace="default",
            registry_fingerprint=fingerprint,
            slots=20,
            started_at=clock(),
            seen_at=clock(),
        ),
    )


def test_it_says_what_was_found(
    operator: Browser, store: Store, clock: Clock, engine: FakeEngine, services: object
) -> None:
    run = _run(store)
    clock.forward(seconds=61)

    def verdict() -> str:
        clock.forward(seconds=6)  # what was found is believed for a moment
        html = operator.get(f"/runs/{run.run_id}/banner", htmx=True).text
        return html.partition('data-verdict="')[2].partition('"')[0]

    assert run.temporal_workflow_id is not None
    assert verdict() == "NOT_SENT"
    engine.down = True
    assert verdict() == "ENGINE_UNREACHABLE"
    engine.down = False
    engine.put(run.temporal_workflow_id)
    assert verdict() == "NO_WORKER"
    execution = engine.executions[run.temporal_workflow_id]
    failing = PendingTask(started=False, attempt=3, scheduled_at=None)
    engine.executions[run.temporal_workflow_id] = replace(execution, pending_task=failing)
    assert verdict() == "TASK_FAILING"
    engine.executions[run.temporal_workflow_id] = execution
    clock.forward(seconds=6)
    _worker(store, clock, "another")
    assert verdict() == "WRONG_REGISTRY"


def test_with_no_worker_it_says_so_in_the_words_of_the_promise(
    operator: Browser, store: Store, clock: Clock, engine: FakeEngine
) -> None:
    run = _run(store)
    assert run.temporal_workflow_id is not None
    engine.put(run.temporal_workflow_id)
    clock.forward(seconds=61)
    text = _banner(operator, run).text
    assert "Queued, waiting for worker" in text
    assert "run-studio" in text
    assert "none has ever been seen" in text


def test_while_temporal_is_down_it_is_not_asked_at_every_poll(
    operator: Browser, store: Store, clock: Clock, engine: FakeEngine
) -> None:
    run = _run(store)
    engine.down = True
    clock.forward(seconds=61)
    for _ in range(4):
        assert "Temporal does not answer" in _banner(operator, run).text
        clock.forward(seconds=1)
    assert engine.looked == 1
    assert engine.asked("describe") == []


def test_however_many_look_temporal_is_asked_once_in_two_seconds(
    sign_in: Callable[[str], Browser], store: Store, clock: Clock, engine: FakeEngine
) -> None:
    of, _ = builders.published(store)
    runs = [builders.run(of), builders.run(of)]
    builders.save(store, *runs)
    clock.forward(seconds=61)
    for browser in (sign_in("operator"), sign_in("viewer")):
        for run in runs:
            _banner(browser, run)
            browser.page(f"/runs/{run.run_id}")
    assert engine.looked == 1
    assert sorted(engine.asked("describe")) == sorted(str(run.temporal_workflow_id) for run in runs)
    clock.forward(seconds=3)
    _banner(sign_in("operator"), runs[0])
    assert engine.looked == 2


def test_a_list_of_queued_runs_asks_temporal_nothing(
    operator: Browser, store: Store, clock: Clock, engine: FakeEngine
) -> None:
    run = _run(store)
    clock.forward(seconds=61)
    for address in ("/runs", "/runs?queued=1", "/workflows", "/waits"):
        assert operator.get(address).status_code == 200
    assert run.run_id[:8] in operator.page("/runs").text
    assert (engine.calls, engine.looked) == ([], 0)


def test_a_temporal_that_hangs_does_not_hang_the_page(
    operator: Browser, store: Store, clock: Clock, engine: FakeEngine
) -> None:
    of, _ = builders.published(store, "greet")
    run = builders.run(of)
    builders.save(store, run)
    clock.forward(seconds=61)
    over = threading.Event()

    def hang(call: str) -> None:
        over.wait(20)

    engine.before = hang
    began = time.monotonic()
    for address in (f"/runs/{run.run_id}", f"/runs/{run.run_id}/replay", "/workflows/greet/run"):
        assert "Temporal does not answer" in operator.page(address).text
    assert time.monotonic() - began < 15, "each is asked for 20 s"
    over.set()


def test_every_verdict_says_its_evidence_with_its_age_and_what_to_do(
    operator: Browser, store: Store, clock: Clock, engine: FakeEngine
) -> None:
    run = _run(store)
    assert run.temporal_workflow_id is not None
    engine.put(run.temporal_workflow_id)
    waiting = PendingTask(started=False, attempt=1, scheduled_at=builders.NOW)
    execution = engine.executions[run.temporal_workflow_id]
    engine.executions[run.temporal_workflow_id] = replace(execution, pending_task=waiting)
    clock.forward(seconds=90)
    text = _banner(operator, run).text
    assert "nobody has taken it since it came 1 min 30 s ago" in text
    assert "Looked at 0 ms ago" in text
    assert "What to do: Start a worker" in text
    assert text.count("What to do:") == 1


def test_a_task_that_fails_at_a_later_step_is_explained_by_the_same_panel(
    operator: Browser, store: Store, clock: Clock, engine: FakeEngine
) -> None:
    run = _run(store, claimed_by="x")
    assert run.temporal_workflow_id is not None
    builders.save(store, builders.step(run))
    engine.put(run.temporal_workflow_id)
    well = engine.executions[run.temporal_workflow_id]
    address = f"/runs/{run.run_id}"
    failing = PendingTask(started=False, attempt=3, scheduled_at=builders.NOW)
    engine.executions[run.temporal_workflow_id] = replace(well, pending_task=failing)
    assert "data-verdict" not in operator.page(address).html, "a step was recorded just now"
    clock.forward(seconds=30)
    _until(lambda: 'data-verdict="TASK_FAILING"' in operator.get(address, htmx=True).text)
    shown = operator.get(address, htmx=True)
    assert "Standing still: a worker takes it up, and fails" in Page(shown.text).text
    assert "Standing still" in operator.page(address).text
    assert "Standing still" in _banner(operator, run).text
    assert not _polls(_banner(operator, run)), "the page's live region asks"
    tag = {"HX-PTag": shown.headers["HX-PTag"]}
    assert operator.get(address, htmx=True, **tag).status_code == 304
    engine.executions[run.temporal_workflow_id] = well
    clock.forward(seconds=3)
    _until(lambda: "data-verdict" not in operator.get(address, htmx=True).text)
    assert operator.get(address, htmx=True, **tag).status_code == 200


def _until(holds: Callable[[], bool]) -> None:
    """A page of a run that has begun does not wait for Temporal: the next one shows it."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
