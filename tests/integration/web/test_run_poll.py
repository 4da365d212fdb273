"""What a poll of a run's live region costs, and when it brings something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event

from engine.services.context import Services
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.integration.web.marks import on_both


def _live(page: Page) -> dict[str, str]:
    element = page.by_id("run-live")
    assert element is not None
    return element


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


@on_both
def test_a_poll_of_an_unchanged_run_is_a_304_of_one_query_and_no_template(
    operator: Browser, store: Store, of: WorkflowDefinition, services: Services,
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


@pytest.mark.parametrize("what", list(_changes(WorkflowRun(run_id="x"))))
@on_both
def test_a_poll_of_a_changed_run_shows_it(
    operator: Browser, store: Store, of: WorkflowDefinition, what: str
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
    operator: Browser, store: Store, of: WorkflowDefinition
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
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(store, run)
    response = operator.get(
        f"/runs/{run.run_id}", htmx=True, **{"HX-History-Restore-Request": "true"}
    )
    assert response.text.startswith("<!doctype html>")
