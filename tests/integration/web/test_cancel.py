"""Cancel and Stop now: what is asked, what the page says until it is over (docs/rules.md 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.runs.status import TERMINAL
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.workers import WorkerHeartbeat
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock


@pytest.fixture
def run(store: Store, engine: FakeEngine, clock: Clock) -> WorkflowRun:
    """A run that goes on, in a world with a living worker."""
    of, _ = builders.published(store, "greet")
    found = builders.run(of, claimed_by="x", claimed_at=builders.NOW)
    builders.save(store, found, builders.step(found, "STARTED"))
    _beat(store, clock)
    assert found.temporal_workflow_id is not None
    engine.put(found.temporal_workflow_id)
    return found


def _beat(store: Store, clock: Clock) -> None:
    with store.writing() as session:
        session.merge(
            WorkerHeartbeat(
                identity="1@host-x", state="running", task_queue="run-studio",
                namespace="default", registry_fingerprint="x", slots=20,
                started_at=clock(), seen_at=clock(),
            )
        )  # fmt: skip


def _row(store: Store, run: WorkflowRun) -> WorkflowRun:
    with store.reading() as session:
        return session.get_one(WorkflowRun, run.run_id)


def _cancel_form(page: Page, run: WorkflowRun, **having: str) -> dict[str, str]:
    return page.form(f"/runs/{run.run_id}/cancel", **having).fields


def test_a_plain_cancel_leads_back_to_the_run_and_says_requested(
    operator: Browser, store: Store, run: WorkflowRun, engine: FakeEngine
) -> None:
    form = operator.page(f"/runs/{run.run_id}").form(f"/runs/{run.run_id}/cancel")
    response = operator.submit(form, reason="Wrong customer")
    assert (response.status_code, response.headers["Location"]) == (303, f"/runs/{run.run_id}")
    page = operator.page(f"/runs/{run.run_id}")
    assert "Cancel requested" in page.text
    assert "Wrong customer" in page.text
    assert operator.operator is not None
    assert operator.operator.email in page.text
    row = _row(store, run)
    assert (row.status, row.cancel_reason) == ("RUNNING", "Wrong customer")
    assert engine.asked("cancel") == [run.temporal_workflow_id]
    assert not any(form.action.endswith("/cancel") for form in page.forms)


def test_htmx_gets_the_fresh_live_region(operator: Browser, run: WorkflowRun) -> None:
    form = operator.page(f"/runs/{run.run_id}").form(f"/runs/{run.run_id}/cancel")
    assert form.attributes["hx-target"] == "#run-live"
    response = operator.submit(form, htmx=True, reason="Wrong customer")
    assert response.status_code == 200
    assert response.text.strip().startswith('<section id="run-live"')
    assert "Cancel requested" in response.text


def test_it_says_which_action_the_run_is_waiting_for(
    operator: Browser, store: Store, engine: FakeEngine, clock: Clock
) -> None:
    step = {
        "id": "ask",
        "type": "action.call",
        "config": {"actionId": "http.request", "version": 1},
    }
    of, _ = builders.published(store, "ask", document=builders.document("ask", steps=[step]))
    run = builders.run(of, cancel_requested_at=clock(), cancel_reason="because")
    builders.save(store, run, builders.step(run, "STARTED"))
    assert "Waiting for http.request" in operator.page(f"/runs/{run.run_id}").text


@pytest.mark.parametrize("reason", ["", "  ", "ab", " ab "])
@pytest.mark.parametrize("htmx", [False, True])
def test_a_reason_that_is_too_short_is_422_beside_the_field(
    operator: Browser, store: Store, run: WorkflowRun, reason: str, htmx: bool
) -> None:
    response = operator.post(f"/runs/{run.run_id}/cancel", {"reason": reason}, htmx=htmx)
    assert response.status_code == 422
    page = Page(response.text)
    field = page.by_id("cancel-reason")
    assert field is not None
    assert field["aria-invalid"] == "true"
    assert "cancel-error" in field["aria-describedby"].split()
    assert "at least 3 characters" in page.text
    assert _cancel_form(page, run)["reason"] == reason
    assert "open" in next(a for a in page.all("details") if a.get("id") == "ask-cancel")
    assert _row(store, run).cancel_requested_at is None


@pytest.mark.parametrize("reason", ["x\x00y", "y" * 2001])
def test_a_reason_that_cannot_be_kept_is_422(
    operator: Browser, store: Store, run: WorkflowRun, reason: str
) -> None:
    response = operator.post(f"/runs/{run.run_id}/cancel", {"reason": reason})
    assert response.status_code == 422
    assert Page(response.text).by_id("cancel-error") is not None
    assert _row(store, run).cancel_requested_at is None


@pytest.mark.parametrize("status", sorted(TERMINAL))
@pytest.mark.parametrize("htmx", [False, True])
def test_a_run_that_has_ended_is_409_with_the_run_as_it_is(
    operator: Browser, store: Store, status: str, htmx: bool
) -> None:
    of, _ = builders.published(store)
    run = builders.run(of, status)
    builders.save(store, run)
    response = operator.post(f"/runs/{run.run_id}/cancel", {"reason": "because"}, htmx=htmx)
    assert response.status_code == 409
    assert f"it is {status}" in response.text
    assert Page(response.text).by_id("run-live") is not None
    assert _row(store, run).cancel_requested_at is None


def test_while_temporal_is_down_the_request_is_kept_and_said_to_be(
    operator: Browser, store: Store, run: WorkflowRun, engine: FakeEngine
) -> None:
    engine.down = True
    response = operator.post(f"/runs/{run.run_id}/cancel", {"reason": "because"})
    assert response.status_code == 503
    assert "The cancel request is recorded" in response.text
    assert _row(store, run).cancel_requested_at is not None
    assert "Temporal has not taken the request yet" in operator.page(f"/runs/{run.run_id}").text


def test_stop_now_is_offered_30_seconds_after_a_cancel_that_nothing_came_of(
    operator: Browser, store: Store, run: WorkflowRun, clock: Clock, engine: FakeEngine
) -> None:
    address = f"/runs/{run.run_id}"
    operator.post(f"{address}/cancel", {"reason": "Wrong customer"})
    tag = operator.get(address).headers["HX-PTag"]

    def offered() -> bool:
        forms = operator.page(address).forms
        return any(form.fields.get("force") == "1" for form in forms)

    clock.forward(seconds=29)
    _beat(store, clock)
    assert not offered()
    assert (
        operator.post(f"{address}/cancel", {"reason": "because", "force": "1"}).status_code == 409
    )
    clock.forward(seconds=1)
    assert operator.get(address, htmx=True, **{"HX-PTag": tag}).status_code == 200
    form = operator.page(address).form(f"{address}/cancel", force="1")
    assert form.fields["reason"] == "Wrong customer"
    assert operator.submit(form).status_code == 303
    assert engine.asked("terminate") == [run.temporal_workflow_id]
    assert _row(store, run).status == "CANCELED"
    page = operator.page(address)
    assert "stopped without clean-up" in page.text
    assert not any(form.action.endswith("/cancel") for form in page.forms)


def test_stop_now_is_offered_at_once_when_no_worker_lives(
    operator: Browser, store: Store, run: WorkflowRun, clock: Clock
) -> None:
    address = f"/runs/{run.run_id}"
    clock.forward(seconds=20)
    assert all("force" not in form.fields for form in operator.page(address).forms)
    clock.forward(seconds=1)
    page = operator.page(address)
    assert "No worker is running" in page.text
    form = page.form(f"{address}/cancel", force="1")
    refused = operator.submit(form)
    assert refused.status_code == 422
    assert Page(refused.text).by_id("stop-error") is not None
    assert operator.submit(form, reason="Nobody is there").status_code == 303
    assert _row(store, run).status == "CANCELED"


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
def test_a_cancel_that_came_too_late_is_said_to_be(
    operator: Browser, store: Store, status: str
) -> None:
    of, _ = builders.published(store)
    run = builders.run(of, status, cancel_requested_at=builders.NOW + timedelta(seconds=1))
    builders.save(store, run)
    assert "the cancel came too late" in operator.page(f"/runs/{run.run_id}").text


@pytest.mark.parametrize("bad", ["nope", "11111111-1111-4111-8111-111111111111"])
def test_an_unknown_run_is_404(operator: Browser, bad: str) -> None:
    assert operator.post(f"/runs/{bad}/cancel", {"reason": "because"}).status_code == 404
    assert operator.post(f"/runs/{bad}/cancel", {"reason": ""}).status_code == 404
