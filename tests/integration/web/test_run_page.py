"""One run: what its page shows and offers in every state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.runs.status import TERMINAL, RunStatus
from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both


def _live(page: Page) -> dict[str, str]:
    element = page.by_id("run-live")
    assert element is not None
    return element


@on_both
def test_it_shows_what_the_run_is_and_where_it_comes_from(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    assert operator.operator is not None
    old = builders.run(of, "FAILED")
    new = builders.run(
        of, "SUCCEEDED", replay_of_run_id=old.run_id, reason="It is mended",
        started_by=operator.operator.operator_id, temporal_run_id="execution-7",
        claimed_at=builders.NOW + timedelta(milliseconds=300), state_label="half way",
        completed_at=builders.NOW + timedelta(seconds=75),
    )  # fmt: skip
    child = builders.run(of, "FAILED", parent_run_id=new.run_id)
    builders.save(store, old, new, child)
    page = operator.page(f"/runs/{new.run_id}")
    facts = (
        *(new.run_id, f"run-{new.run_id}", "execution-7", "It is mended", "half way"),
        *(operator.operator.email, "300 ms", "1 min 15 s", "2026-11-23 09:30:00 UTC"),
    )
    for said in facts:
        assert said in page.text, said
    assert {"/workflows/greet", f"/runs/{old.run_id}", f"/runs/{child.run_id}"} <= set(page.links())
    assert any(link.endswith(f"/workflows/run-{new.run_id}") for link in page.links())
    assert f"/runs/{new.run_id}" in operator.page(f"/runs/{old.run_id}").links()
    assert f"/runs/{new.run_id}" in operator.page(f"/runs/{child.run_id}").links()


@pytest.mark.parametrize("status", list(RunStatus))
def test_the_title_carries_the_status_in_page_and_fragment(
    operator: Browser, store: Store, of: WorkflowDefinition, status: RunStatus
) -> None:
    run = builders.run(of, status)
    builders.save(store, run)
    for htmx in (False, True):
        html = operator.get(f"/runs/{run.run_id}", htmx=htmx).text
        title = html.partition("<title>")[2].partition("</title>")[0]
        assert title.startswith(f"{status} · Greet somebody")


@pytest.mark.parametrize("status", list(RunStatus))
def test_only_a_run_that_goes_on_polls_and_reloads(
    operator: Browser, store: Store, of: WorkflowDefinition, status: RunStatus
) -> None:
    run = builders.run(of, status)
    builders.save(store, run)
    page = operator.page(f"/runs/{run.run_id}")
    polls = _live(page)
    reloads = any(meta.get("http-equiv") == "refresh" for meta in page.all("meta"))
    if status in TERMINAL:
        assert not any(name.startswith("hx-") for name in polls)
        assert not reloads
    else:
        assert polls["hx-get"] == f"/runs/{run.run_id}"
        assert (polls["hx-trigger"], polls["hx-swap"]) == ("every 2s", "outerMorph")
        assert reloads
        assert not any(
            meta.get("http-equiv") == "refresh"
            for meta in operator.page(f"/runs/{run.run_id}?reload=off").all("meta")
        )


@pytest.mark.parametrize("status", list(RunStatus))
@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_controls_are_those_that_status_and_role_allow(
    sign_in: Callable[[str], Browser], store: Store, of: WorkflowDefinition,
    living_worker: Callable[[], None], status: RunStatus, role: str,
) -> None:  # fmt: skip
    run = builders.run(of, status)
    builders.save(store, run)
    living_worker()
    page = sign_in(role).page(f"/runs/{run.run_id}")
    cancels = [form for form in page.forms if form.action == f"/runs/{run.run_id}/cancel"]
    may = role != "viewer"
    assert bool(cancels) is (may and status not in TERMINAL)
    assert (f"/runs/{run.run_id}/replay" in page.links()) is may
    assert f"/runs/{run.run_id}/export" in page.links()
    assert all("force" not in form.fields for form in cancels)


def test_replay_is_not_offered_while_the_workflow_is_paused(
    operator: Browser, store: Store
) -> None:
    of, _ = builders.published(store, is_paused=True)
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    page = operator.page(f"/runs/{run.run_id}")
    assert f"/runs/{run.run_id}/replay" not in page.links()
    assert "the workflow is paused" in page.text


@on_both
@pytest.mark.parametrize("worker_lives", [True, False])
def test_every_control_that_is_shown_works(
    operator: Browser, store: Store, living_worker: Callable[[], None], worker_lives: bool
) -> None:
    of, _ = builders.published(store, "greet")
    if worker_lives:
        living_worker()

    def shown(status: RunStatus) -> Page:
        run = builders.run(of, status)
        builders.save(store, run)
        return operator.page(f"/runs/{run.run_id}")

    for status in RunStatus:
        page = shown(status)
        for link in page.links():
            if link.startswith("/runs/"):
                assert operator.get(link).status_code == 200, (status, link)
        for number, form in enumerate(page.forms):
            if form.action not in {"/sign-out", "/look"}:
                alike = shown(status).forms[number]
                assert operator.submit(alike, reason="because").status_code == 303, status
        forms = [form for form in page.forms if form.action not in {"/sign-out", "/look"}]
        expected = 0 if status in TERMINAL else 1 if worker_lives else 2
        assert len(forms) == expected, status


@on_both
def test_a_run_from_before_the_cut_over_is_shown(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "CANCELED", engine="db", epoch=0, temporal_workflow_id=None,
                       input_json=None, error_json={"message": "the cut-over"})  # fmt: skip
    step = builders.step(run, occurrence=None, iter=None, kind=None, position=None, rank=0)
    builders.save(store, run, step)
    page = operator.page(f"/runs/{run.run_id}")
    assert "before the cut-over" in page.text
    assert "the cut-over" in page.text
    assert len([a for a in page.all("li") if a.get("id", "").startswith("step-")]) == 1


NO_IDS = [
    *("nope", "1", "%00", "x" * 300, "..%2f..", "{}"),
    "11111111-1111-4111-8111-11111111111g",
    "11111111-1111-4111-8111-111111111111",
]


@pytest.mark.parametrize("bad", NO_IDS)
@pytest.mark.parametrize("rest", ["", "/banner", "/export", "/replay"])
@on_both
def test_ids_that_are_none_are_404_with_a_message(operator: Browser, bad: str, rest: str) -> None:
    for htmx in (False, True):
        response = operator.get(f"/runs/{bad}{rest}", htmx=htmx)
        assert response.status_code == 404
        assert "Not found" in response.text
        assert ("<html" in response.text) is not htmx


def test_an_id_may_be_written_in_capitals(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(store, run)
    assert operator.get(f"/runs/{run.run_id.upper()}").status_code == 200


@pytest.mark.parametrize("verb", ["retry", "resume", "requeue"])
def test_there_is_no_retry_resume_or_requeue(
    operator: Browser, store: Store, of: WorkflowDefinition, verb: str
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    for address in (f"/runs/{run.run_id}/{verb}", f"/api/workflow-runs/{run.run_id}/{verb}"):
        assert operator.get(address).status_code == 404
        assert operator.post(address).status_code == 404
    assert verb not in operator.page(f"/runs/{run.run_id}").html.lower()
