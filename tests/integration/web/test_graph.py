"""The picture of a workflow and of a run's way: one link a reached step, a 304 when unchanged."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from sqlalchemy import event

from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.steps import WorkflowRunStep
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both
from tests.unit.drawing.documents import action, branch, document, guarded, loop

CANARY = "CANARY-4711"
LOOP, BODY = "root.steps[0]", "root.steps[0].body.steps[0]"
CHOICE, THEN, ELSE = "root.steps[1]", "root.steps[1].then.steps[0]", "root.steps[1].else.steps[0]"


@pytest.fixture
def drawn(store: Store) -> WorkflowDefinition:
    shown = document(loop([action()]), branch([action("yes")], [action("no")]),
                     guarded([action()], [action()]))  # fmt: skip
    return builders.published(store, "drawn", document=shown)[0]


def _steps(run: WorkflowRun) -> list[WorkflowRunStep]:
    return [
        builders.step(run, path=LOOP, kind="control.forEach"),
        *(builders.step(run, path=BODY, iter=(number,)) for number in range(3)),
        builders.step(run, "STARTED", path=CHOICE, kind="control.if"),
        builders.step(run, "STARTED", path=THEN),
    ]


def node(page: Page, path: str) -> dict[str, str]:
    found = page.by_id(f"node-{path}")
    assert found is not None, path
    return found


def test_every_step_says_how_it_stands_and_how_often_it_ran(
    operator: Browser, store: Store, drawn: WorkflowDefinition
) -> None:
    run = builders.run(drawn)
    builders.save(store, run, *_steps(run))
    page = operator.page(f"/runs/{run.run_id}/graph")
    assert node(page, BODY)["aria-label"] == "act-2, action.call, SUCCEEDED, 3 times"
    assert node(page, THEN)["aria-label"] == "yes-4, action.call, STARTED, 1 time"
    assert node(page, ELSE)["aria-label"] == "no-5, action.call, not reached yet"
    assert "href" not in node(page, ELSE)
    assert "SUCCEEDED ×3" in page.text
    [here] = [a for a in page.all("a") if "data-here" in a]
    assert here["href"] == f"#node-{THEN}"


def test_steps_stand_in_the_order_in_which_they_are_executed(
    operator: Browser, store: Store, drawn: WorkflowDefinition
) -> None:
    run = builders.run(drawn, "FAILED")
    builders.save(store, run, *_steps(run))
    ids = [a["id"] for _, a in operator.page(f"/runs/{run.run_id}/graph").elements
           if a.get("id", "").startswith("node-")]  # fmt: skip
    assert ids[:5] == [f"node-{path}" for path in (LOOP, BODY, CHOICE, THEN, ELSE)]
    assert len(ids) == len(set(ids)) == 8


@on_both
def test_a_steps_link_leads_to_its_newest_occurrence_on_the_runs_page(
    operator: Browser, store: Store, drawn: WorkflowDefinition
) -> None:
    run = builders.run(drawn)
    early = builders.step(run, path=LOOP, position=1, kind="control.forEach")
    many = [builders.step(run, path=BODY, iter=(n,), position=n + 2) for n in range(80)]
    twice = [builders.step(run, "RETRY_SCHEDULED", path=THEN, position=100),
             builders.step(run, "SUCCEEDED", path=THEN, attempt=2, position=101)]  # fmt: skip
    builders.save(store, run, early, *many, *twice)
    page = operator.page(f"/runs/{run.run_id}/graph")
    for path in (LOOP, BODY, THEN):
        href = node(page, path)["href"]
        fragment = unquote(urlsplit(href).fragment)
        assert operator.page(href).by_id(fragment) is not None, href


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("RETRY_SCHEDULED", 1)], "RETRY_SCHEDULED, 1 time"),
        ([("RETRY_SCHEDULED", 1), ("FAILED", 2)], "FAILED, 1 time, up to 2 attempts"),
        ([("CANCELED", 1)], "CANCELED, 1 time"),
    ],
)
def test_retries_are_not_counted_as_occurrences(
    operator: Browser, store: Store, drawn: WorkflowDefinition, rows: list[tuple[str, int]],
    says: str,
) -> None:  # fmt: skip
    run = builders.run(drawn)
    builders.save(
        store, run,
        *(builders.step(run, status, path=THEN, attempt=number) for status, number in rows),
    )  # fmt: skip
    page = operator.page(f"/runs/{run.run_id}/graph")
    assert node(page, THEN)["aria-label"] == f"yes-4, action.call, {says}"


def test_a_poll_of_an_unchanged_run_is_a_304_of_one_query_and_no_template(
    operator: Browser, store: Store, drawn: WorkflowDefinition
) -> None:
    run = builders.run(drawn)
    builders.save(store, run, *_steps(run))
    address = f"/runs/{run.run_id}/graph?zoom=50"
    shown = operator.get(address)
    live = Page(shown.text).by_id("run-graph")
    assert live is not None
    assert live["hx-get"] == address
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    poll = operator.get(address, htmx=True, **{"HX-PTag": live["hx-ptag"]})
    assert (poll.status_code, poll.data) == (304, b"")
    assert len([s for s in statements if s.startswith("SELECT")]) == 2  # the session, the run
    builders.save(store, builders.step(run, path="root.steps[2]", kind="control.tryCatch"))
    poll = operator.get(address, htmx=True, **{"HX-PTag": live["hx-ptag"]})
    assert poll.status_code == 200
    assert poll.text.strip().startswith('<section id="run-graph"')


def test_a_run_that_is_over_is_not_asked_for_again(
    operator: Browser, store: Store, drawn: WorkflowDefinition
) -> None:
    run = builders.run(drawn, "SUCCEEDED")
    builders.save(store, run)
    live = operator.page(f"/runs/{run.run_id}/graph").by_id("run-graph")
    assert live is not None
    assert "hx-get" not in live


@pytest.mark.parametrize("zoom", ["fit", "25", "200", "", "0", "-1", "1e9", "x", "９９"])
def test_zoom_is_in_the_address_and_what_is_none_is_100(
    operator: Browser, store: Store, drawn: WorkflowDefinition, zoom: str
) -> None:
    page = operator.page(f"/workflows/drawn/graph?zoom={zoom}")
    [drawing] = [a for a in page.all("svg") if a.get("id") == "graph"]
    share = int(drawing["width"]) / float(drawing["data-width"])
    wanted = int(zoom) / 100 if zoom in {"25", "200"} else 1
    assert abs(share - wanted) < 0.01
    current = [a["data-zoom"] for a in page.all("a") if a.get("aria-current") and "data-zoom" in a]
    assert current == ([zoom] if zoom == "fit" else ["100"] if wanted == 1 else [])


def test_the_picture_of_a_workflow_needs_no_run(operator: Browser, store: Store) -> None:
    calling = document({"id": "call", "type": "control.callWorkflow", "workflowId": "other"})
    of, _ = builders.published(store, "caller", document=calling)
    newer = builders.version(of, 2, definition_json=document(action()))
    builders.save(store, newer)
    assert "href" not in node(operator.page("/workflows/caller/graph"), LOOP)
    old = operator.page("/workflows/caller/graph?version=1")
    assert node(old, LOOP)["href"] == "/workflows/other/graph"
    assert operator.get("/workflows/caller/graph?version=3").status_code == 404
    assert operator.get("/workflows/nope/graph").status_code == 404


@on_both
def test_rows_from_before_the_cut_over_and_of_no_document_are_shown(
    operator: Browser, store: Store, drawn: WorkflowDefinition
) -> None:
    run = builders.run(drawn, "CANCELED", engine="db", epoch=0, workflow_version=7)
    step = builders.step(run, path="root.steps[9]", occurrence=None, iter=None, position=None)
    builders.save(store, run, step)
    page = operator.page(f"/runs/{run.run_id}/graph")
    assert "Nothing to draw" in page.text
    assert "root.steps[9]" in page.text


@pytest.mark.parametrize("bad", ["nope", "%00", "11111111-1111-4111-8111-111111111111"])
def test_ids_that_are_none_are_404(operator: Browser, bad: str) -> None:
    assert operator.get(f"/runs/{bad}/graph").status_code == 404


def test_nothing_that_is_masked_is_in_the_picture(operator: Browser, store: Store) -> None:
    shown = document({"id": f"{CANARY}-label", "type": "state.set", "config": {"state": "x"}},
                     action()) | {"redact": ["/payload/tax"]}  # fmt: skip
    shown["steps"][0]["name"] = f"for {CANARY}"
    of, _ = builders.published(store, "leaky", document=shown)
    run = builders.run(of, "FAILED", input_json={"tax": CANARY, "apiKey": f"{CANARY}-key"})
    error = {"category": "ActionError", "message": f"no {CANARY}-key here"}
    builders.save(
        store, run, builders.step(run, path="root.steps[0]", output_json={"password": "hunter22"}),
        builders.step(run, "FAILED", path="root.steps[1]", error_json=error),
    )  # fmt: skip
    for htmx in (False, True):
        text = operator.get(f"/runs/{run.run_id}/graph", htmx=htmx).text
        assert CANARY not in text
        assert "no [REDACTED] here" in text


def test_markup_in_names_stays_text(operator: Browser, store: Store) -> None:
    evil = "<script>alert(1)</script>"
    shown: dict[str, Any] = document(action()) | {"name": evil}
    shown["steps"][0] |= {"name": evil, "id": '"><b'}
    builders.published(store, "evil", name=evil, document=shown)
    assert evil not in operator.get("/workflows/evil/graph").text


def test_a_picture_of_two_thousand_steps_takes_less_than_a_second(
    operator: Browser, store: Store
) -> None:
    many = document(*(loop([branch([action()], [action()])]) for _ in range(499)))
    of, _ = builders.published(store, "many", document=many)
    run = builders.run(of)
    rows = [builders.step(run, path=f"root.steps[{n}]", kind="control.forEach") for n in range(499)]
    builders.save(store, run, *rows)
    operator.get(f"/runs/{run.run_id}/graph")
    began = time.process_time()
    page = operator.get(f"/runs/{run.run_id}/graph")
    took = time.process_time() - began
    assert page.text.count('class="node node-') == 1996
    assert took < 1, took
