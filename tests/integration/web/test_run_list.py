"""The list of runs: newest first, filters and pages in the address, never a 500."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from engine.runs.status import RunStatus
from engine.store.session import Store
from engine.store.tables import RunSelection, WorkflowDefinition, WorkflowRun
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.integration.web.marks import on_both


def _rows(page: Page) -> list[str]:
    return [a["id"].removeprefix("row-") for a in page.all("tr") if "id" in a]


def _many(store: Store, count: int, **fields: object) -> list[str]:
    """Newest first; each two began at the same moment."""
    of, _ = builders.published(store, "greet", name="Greet somebody")
    runs = [
        builders.run(
            of,
            "SUCCEEDED",
            started_at=builders.NOW - timedelta(seconds=number // 2),
            run_id=f"{999 - number:08d}-0000-4000-8000-000000000000",
            **fields,
        )
        for number in range(count)
    ]
    builders.save(store, *runs)
    return [run.run_id for run in runs]


@on_both
def test_pages_go_through_all_runs_once_newest_first_and_back_again(
    operator: Browser, store: Store
) -> None:
    expected = _many(store, 120)
    address: str | None = "/runs"
    seen, pages = [], []
    while address:
        page = operator.page(address)
        seen += _rows(page)
        pages.append(_rows(page))
        address = next((a["href"] for a in page.all("a") if a.get("rel") == "next"), None)
        back = next((a["href"] for a in page.all("a") if a.get("rel") == "prev"), None)
    assert seen == expected
    assert [len(rows) for rows in pages] == [50, 50, 20]
    assert back is not None
    middle = operator.page(back)
    assert _rows(middle) == pages[1]
    first = next(a["href"] for a in middle.all("a") if a.get("rel") == "prev")
    assert _rows(operator.page(first)) == pages[0]


@on_both
def test_statuses_and_workflow_filter_together(operator: Browser, store: Store) -> None:
    of, _ = builders.published(store, "greet")
    other, _ = builders.published(store, "other")
    runs = {
        (key, status): builders.run(one, status)
        for key, one in (("greet", of), ("other", other))
        for status in RunStatus
    }
    builders.save(store, *runs.values())
    everything = operator.page("/runs")
    assert set(_rows(everything)) == {run.run_id for run in runs.values()}
    two = operator.page("/runs?status=FAILED&status=RUNNING")
    assert set(_rows(two)) == {
        runs[key, status].run_id for key in ("greet", "other") for status in ("FAILED", "RUNNING")
    }
    one = operator.page("/runs?status=WAITING&workflow=other")
    assert _rows(one) == [runs["other", "WAITING"].run_id]
    chosen = {name: text for name, text in one.form("/runs").fields.items() if text}
    assert chosen == {"status": "WAITING", "workflow": "other"}


def test_a_filter_stays_on_when_pages_are_turned(operator: Browser, store: Store) -> None:
    _many(store, 60)
    page = operator.page("/runs?status=SUCCEEDED&workflow=greet")
    older = next(a["href"] for a in page.all("a") if a.get("rel") == "next")
    assert "status=SUCCEEDED" in older
    assert "workflow=greet" in older
    assert len(_rows(operator.page(older))) == 10


@on_both
def test_counts_are_exact_alone_and_up_to_a_thousand_with_another_filter(
    operator: Browser, store: Store
) -> None:
    of, _ = builders.published(store, "greet")
    builders.published(store, "other")
    runs = [builders.run(of, "SUCCEEDED") for _ in range(1234)]
    with store.writing() as session:
        session.add_all([*runs, builders.run(of, "FAILED")])
    for query in ("/runs", "/runs?status=FAILED", "/runs?status=SUCCEEDED&status=FAILED"):
        assert "SUCCEEDED 1,234 FAILED 1 CANCELED 0" in operator.page(query).text, query
    of_greet = operator.page("/runs?workflow=greet&status=FAILED").text
    assert "SUCCEEDED 1,000+ FAILED 1 CANCELED 0" in of_greet
    assert "SUCCEEDED 0 FAILED 0" in operator.page("/runs?workflow=other").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=DANCING", "There is no status 'DANCING'."),
        ("status=%00", "There is no status"),
        ("workflow=nowhere", "There is no workflow 'nowhere'."),
        ("workflow=%00", "There is no workflow"),
        ("cursor=x", "This page of the list does not exist."),
        ("cursor=bm90LWEtY3Vyc29y", "This page of the list does not exist."),
        ("cursor=%F0%9F%98%80", "This page of the list does not exist."),
        ("cursor=b" + "9" * 500, "This page of the list does not exist."),
    ],
)
@on_both
def test_an_unknown_filter_is_said_and_is_no_fault_of_the_server(
    operator: Browser, store: Store, query: str, said: str
) -> None:
    expected = _many(store, 1)
    response = operator.get(f"/runs?{query}")
    assert response.status_code == 422
    page = Page(response.text)
    assert said in page.text
    assert _rows(page) == expected


def test_blank_filters_are_none(operator: Browser, store: Store) -> None:
    expected = _many(store, 2)
    assert _rows(operator.page("/runs?status=&workflow=&cursor=")) == expected


def test_an_empty_list_says_what_to_do(operator: Browser, viewer: Browser, store: Store) -> None:
    assert "flask definitions publish" in operator.page("/runs").text
    builders.published(store, "greet")
    assert "/workflows" in operator.page("/runs").links()
    assert "when an operator starts one" in viewer.page("/runs").text
    assert "No run matches" in operator.page("/runs?status=FAILED").text


@on_both
def test_a_queued_run_is_marked_after_60_seconds(
    operator: Browser, store: Store, clock: Clock
) -> None:
    of, _ = builders.published(store, "greet")
    queued, moving = builders.run(of), builders.run(of)
    builders.save(store, queued, moving, builders.step(moving, "STARTED"))
    clock.forward(seconds=59)
    assert "queued" not in operator.page("/runs").text
    clock.forward(seconds=2)
    assert operator.page("/runs").text.count("queued") == 1


def test_an_unchanged_list_is_a_304_and_a_changed_one_is_not(
    operator: Browser, store: Store
) -> None:
    _many(store, 2)
    first = operator.get("/runs", htmx=True)
    tag = first.headers["HX-PTag"]
    section = Page(first.text).by_id("run-list")
    assert section is not None
    assert section["hx-get"].startswith("/runs?shown=")
    same = operator.get("/runs", htmx=True, **{"HX-PTag": tag})
    assert (same.status_code, same.data) == (304, b"")
    of, _ = builders.published(store, "other")
    builders.save(store, builders.run(of))
    assert operator.get("/runs", htmx=True, **{"HX-PTag": tag}).status_code == 200


@on_both
def test_a_poll_of_an_unchanged_list_is_a_304_of_one_query(
    operator: Browser, store: Store, clock: Clock
) -> None:
    _many(store, 60)
    shown = operator.page("/runs?status=SUCCEEDED&last=7d").by_id("run-list")
    assert shown is not None
    statements: list[str] = []
    clock.forward(seconds=1)
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    poll = operator.get(shown["hx-get"], htmx=True, **{"HX-PTag": shown["hx-ptag"]})
    assert (poll.status_code, poll.data) == (304, b"")
    asked = [text for text in statements if text.startswith("SELECT")]
    assert len(asked) == 2, asked  # whose session it is, and the list
    assert "input_json" not in asked[1]


_LATER = builders.NOW + timedelta(seconds=5)


def _end(session: Session, run: WorkflowRun, operator_id: str) -> None:
    run.status, run.completed_at = "FAILED", _LATER


def _ask_for_its_cancel(session: Session, run: WorkflowRun, operator_id: str) -> None:
    run.cancel_requested_at = _LATER


def _take_its_first_step(session: Session, run: WorkflowRun, operator_id: str) -> None:
    session.add(builders.step(run, "STARTED"))


def _select(session: Session, run: WorkflowRun, operator_id: str) -> None:
    session.add(RunSelection(operator_id=operator_id, run_id=run.run_id, added_at=_LATER))


def _start_another(session: Session, run: WorkflowRun, operator_id: str) -> None:
    of = session.get_one(WorkflowDefinition, run.workflow_id)
    session.add(builders.run(of, started_at=_LATER))


@pytest.mark.parametrize(
    "change", [_end, _ask_for_its_cancel, _take_its_first_step, _select, _start_another]
)
@on_both
def test_a_poll_of_a_list_in_which_something_changed_brings_it(
    operator: Browser,
    store: Store,
    clock: Clock,
    change: Callable[[Session, WorkflowRun, str], None],
) -> None:
    of, _ = builders.published(store, "greet")
    run = builders.run(of)
    builders.save(store, run)
    clock.forward(seconds=70)
    shown = operator.page("/runs?trigger=manual").by_id("run-list")
    assert shown is not None
    assert operator.operator is not None
    with store.writing() as session:
        change(session, session.get_one(WorkflowRun, run.run_id), operator.operator.operator_id)
    poll = operator.get(shown["hx-get"], htmx=True, **{"HX-PTag": shown["hx-ptag"]})
    assert poll.status_code == 200
    assert _rows(Page(poll.text)) == [run.run_id]


def test_what_moves_with_the_clock_is_looked_at_again_each_minute(
    operator: Browser, store: Store, clock: Clock
) -> None:
    """After 60 s a run is queued; after an hour it is no longer one of the last hour."""
    _many(store, 1)
    of, _ = builders.published(store, "other")
    builders.save(store, builders.run(of))
    for query in ("/runs", "/runs?last=1h"):
        shown = operator.page(query).by_id("run-list")
        assert shown is not None
        clock.forward(seconds=61)
        poll = operator.get(shown["hx-get"], htmx=True, **{"HX-PTag": shown["hx-ptag"]})
        assert poll.status_code == 200, query


def test_counts_among_the_filters_are_renewed_with_the_list(
    operator: Browser, store: Store
) -> None:
    _many(store, 2)
    poll = Page(operator.get("/runs", htmx=True).text)
    renewed = {a["id"] for a in poll.all("span") if a.get("hx-swap-oob") == "true"}
    assert renewed == {f"count-{status.value.lower()}" for status in RunStatus}
    assert all(operator.page("/runs").by_id(place) for place in renewed)


def test_older_pages_do_not_poll(operator: Browser, store: Store) -> None:
    _many(store, 60)
    page = operator.page("/runs")
    older = next(a["href"] for a in page.all("a") if a.get("rel") == "next")
    section = operator.page(older).by_id("run-list")
    assert section is not None
    assert "hx-get" not in section
