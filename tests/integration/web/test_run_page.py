"""One run: what its page shows in every state, and what a poll of it costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event

from engine.runs.status import TERMINAL, RunStatus
from engine.services.context import Services
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.workers import WorkerHeartbeat
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.integration.web.marks import on_both


@pytest.fixture
def of(store: Store) -> builders.WorkflowDefinition:
    definition, _ = builders.published(store, "greet", name="Greet somebody")
    return definition


@pytest.fixture
def living_worker(store: Store, clock: Clock) -> Callable[[], None]:
    def beat() -> None:
        with store.writing() as session:
            session.merge(
                WorkerHeartbeat(
                    identity="1@host-x", state="running", task_queue="run-studio",
                    namespace="default", registry_fingerprint="x", slots=20,
                    started_at=clock(), seen_at=clock(),
                )
            )  # fmt: skip

    return beat


def _live(page: Page) -> dict[str, str]:
    element = page.by_id("run-live")
    assert element is not None
    return element


def _steps(page: Page, place: str = "step") -> list[str]:
    return [
        a["id"].removeprefix(f"{place}-")
        for a in page.all("li")
        if a.get("id", "").startswith(f"{place}-root")
    ]


@on_both
def test_it_shows_what_the_run_is_and_where_it_comes_from(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
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
    for said in (new.run_id, f"run-{new.run_id}", "execution-7", "It is mended", "half way",
                 operator.operator.email, "300 ms", "1 min 15 s", "2026-11-23 09:30:00 UTC"):  # fmt: skip
        assert said in page.text, said
    assert {"/workflows/greet", f"/runs/{old.run_id}", f"/runs/{child.run_id}"} <= set(page.links())
    assert any(link.endswith(f"/workflows/run-{new.run_id}") for link in page.links())
    assert f"/runs/{new.run_id}" in operator.page(f"/runs/{old.run_id}").links()
    assert f"/runs/{new.run_id}" in operator.page(f"/runs/{child.run_id}").links()


@pytest.mark.parametrize("status", list(RunStatus))
def test_the_title_carries_the_status_in_page_and_fragment(
    operator: Browser, store: Store, of: builders.WorkflowDefinition, status: RunStatus
) -> None:
    run = builders.run(of, status)
    builders.save(store, run)
    for htmx in (False, True):
        html = operator.get(f"/runs/{run.run_id}", htmx=htmx).text
        title = html.partition("<title>")[2].partition("</title>")[0]
        assert title.startswith(f"{status} · Greet somebody")


@pytest.mark.parametrize("status", list(RunStatus))
def test_only_a_run_that_goes_on_polls_and_reloads(
    operator: Browser, store: Store, of: builders.WorkflowDefinition, status: RunStatus
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
    sign_in: Callable[[str], Browser], store: Store, of: builders.WorkflowDefinition,
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
            if form.action != "/sign-out":
                alike = shown(status).forms[number]
                assert operator.submit(alike, reason="because").status_code == 303, status
        forms = [form for form in page.forms if form.action != "/sign-out"]
        expected = 0 if status in TERMINAL else 1 if worker_lives else 2
        assert len(forms) == expected, status


@on_both
def test_the_live_region_holds_the_last_50_occurrences_and_what_is_open(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
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


def test_a_page_of_earlier_steps_is_a_fragment_too(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
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
    operator: Browser, store: Store, of: builders.WorkflowDefinition, place: str
) -> None:
    run = builders.run(of)
    builders.save(store, run, builders.step(run))
    assert operator.page(f"/runs/{run.run_id}?steps_before={place}").by_id("run-live")


@on_both
def test_attempts_stand_together_and_iterations_apart(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
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
        ),  # fmt: skip
    )
    page = operator.page(f"/runs/{run.run_id}")
    assert _steps(page) == [f"{path}#0", f"{path}#1,2"]
    for said in ("attempt 2", "Attempt 1", "#1.2", "ActionError", "NOPE", "It broke", "dust"):
        assert said in page.text, said


@on_both
def test_a_run_from_before_the_cut_over_is_shown(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
) -> None:
    run = builders.run(of, "CANCELED", engine="db", epoch=0, temporal_workflow_id=None,
                       input_json=None, error_json={"message": "the cut-over"})  # fmt: skip
    step = builders.step(run, occurrence=None, iter=None, kind=None, position=None, rank=0)
    builders.save(store, run, step)
    page = operator.page(f"/runs/{run.run_id}")
    assert "before the cut-over" in page.text
    assert "the cut-over" in page.text
    assert len([a for a in page.all("li") if a.get("id", "").startswith("step-")]) == 1


def test_logs_and_waits_are_shown(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
) -> None:
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


@on_both
def test_a_poll_of_an_unchanged_run_is_a_304_of_one_query_and_no_template(
    operator: Browser, store: Store, of: builders.WorkflowDefinition, services: Services,
    clock: Clock,
) -> None:  # fmt: skip
    run = builders.run(of)
    builders.save(store, run, builders.step(run), builders.log(run), builders.wait(run))
    shown = operator.get(f"/runs/{run.run_id}")
    tag = _live(Page(shown.text))["hx-ptag"]
    assert tag == shown.headers["HX-PTag"]
    statements: list[str] = []
    clock.forward(seconds=1)
    event.listen(services.store.engine, "before_cursor_execute",
                 lambda *args: statements.append(args[2]))  # fmt: skip
    poll = operator.get(f"/runs/{run.run_id}", htmx=True, **{"HX-PTag": tag})
    assert (poll.status_code, poll.data) == (304, b"")
    assert poll.headers["HX-PTag"] == tag
    asked = [s for s in statements if s.startswith("SELECT")]
    assert len(asked) == 2, asked  # whose session it is, and the run
    assert "input_json" not in asked[1]


def _changes(run: WorkflowRun) -> dict[str, Callable[[Store], None]]:
    def add(*rows: object) -> Callable[[Store], None]:
        return lambda store: builders.save(store, *rows)  # type: ignore[arg-type]

    def change(**values: object) -> Callable[[Store], None]:
        def do(store: Store) -> None:
            with store.writing() as session:
                row = session.get_one(WorkflowRun, run.run_id)
                for name, value in values.items():
                    setattr(row, name, value)

        return do

    later = builders.NOW + timedelta(seconds=1)
    return {
        "a step begins": add(builders.step(run, "STARTED", path="root.steps[1]", updated_at=later)),
        "a log line": add(builders.log(run, created_at=later)),
        "a wait": add(builders.wait(run, updated_at=later)),
        "the status": change(status="WAITING"),
        "a cancel": change(cancel_requested_at=later),
        "its delivery": change(cancel_delivered_at=later),
        "the state label": change(state_label="x", updated_at=later),
    }


@pytest.mark.parametrize("what", list(_changes(WorkflowRun(run_id="x"))))
@on_both
def test_a_poll_of_a_changed_run_shows_it(
    operator: Browser, store: Store, of: builders.WorkflowDefinition, what: str
) -> None:
    run = builders.run(of)
    builders.save(store, run, builders.step(run), builders.log(run))
    tag = operator.get(f"/runs/{run.run_id}").headers["HX-PTag"]
    _changes(run)[what](store)
    poll = operator.get(f"/runs/{run.run_id}", htmx=True, **{"HX-PTag": tag})
    assert poll.status_code == 200
    assert poll.text.strip().startswith('<section id="run-live"')
    assert poll.headers["HX-PTag"] != tag


def test_replays_and_children_change_the_page_too(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    tags = {operator.get(f"/runs/{run.run_id}").headers["HX-PTag"]}
    builders.save(store, builders.run(of, replay_of_run_id=run.run_id))
    tags.add(operator.get(f"/runs/{run.run_id}").headers["HX-PTag"])
    builders.save(store, builders.run(of, parent_run_id=run.run_id))
    tags.add(operator.get(f"/runs/{run.run_id}").headers["HX-PTag"])
    assert len(tags) == 3


def test_a_restored_page_of_the_history_is_the_whole_page(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(store, run)
    response = operator.get(
        f"/runs/{run.run_id}", htmx=True, **{"HX-History-Restore-Request": "true"}
    )
    assert response.text.startswith("<!doctype html>")


@pytest.mark.parametrize("bad", ["nope", "1", "%00", "x" * 300, "11111111-1111-4111-8111-11111111111g",
                                 "11111111-1111-4111-8111-111111111111", "..%2f..", "{}"])  # fmt: skip
@pytest.mark.parametrize("rest", ["", "/banner", "/export", "/replay"])
@on_both
def test_ids_that_are_none_are_404_with_a_message(operator: Browser, bad: str, rest: str) -> None:
    for htmx in (False, True):
        response = operator.get(f"/runs/{bad}{rest}", htmx=htmx)
        assert response.status_code == 404
        assert "Not found" in response.text
        assert ("<html" in response.text) is not htmx


def test_an_id_may_be_written_in_capitals(
    operator: Browser, store: Store, of: builders.WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(store, run)
    assert operator.get(f"/runs/{run.run_id.upper()}").status_code == 200


@pytest.mark.parametrize("verb", ["retry", "resume", "requeue"])
def test_there_is_no_retry_resume_or_requeue(
    operator: Browser, store: Store, of: builders.WorkflowDefinition, verb: str
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    for address in (f"/runs/{run.run_id}/{verb}", f"/api/workflow-runs/{run.run_id}/{verb}"):
        assert operator.get(address).status_code == 404
        assert operator.post(address).status_code == 404
    assert verb not in operator.page(f"/runs/{run.run_id}").html.lower()
