"""Filters of the list of runs: in the address, each with its own meaning, none guessed; and CSV."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from blueprints.runs.listing import pack, unpack
from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.integration.web.marks import on_both

ID = "3ab0a890-b1e0-43e7-808b-6f7c2f299633"


def _rows(page: Page) -> list[str]:
    return [a["id"].removeprefix("row-") for a in page.all("tr") if "id" in a]


@on_both
def test_each_filter_finds_its_runs(
    operator: Browser, store: Store, of: WorkflowDefinition, clock: Clock
) -> None:
    old = builders.run(of, "SUCCEEDED", started_at=builders.NOW - timedelta(days=3))
    replay = builders.run(of, "SUCCEEDED", replay_of_run_id=old.run_id)
    child = builders.run(of, "FAILED", parent_run_id=old.run_id, workflow_version=2)
    event = builders.run(of, "WAITING", trigger_type="event", run_id=ID)
    queued = builders.run(of, started_at=builders.NOW - timedelta(seconds=61))
    moving = builders.run(of, started_at=builders.NOW - timedelta(seconds=61))
    builders.save(
        store, old, replay, child, event, queued, moving,
        builders.step(moving, "STARTED"), builders.wait(event, "event", key="order-4711_%"),
    )  # fmt: skip
    expected = {
        "trigger=manual": {old, queued, moving},
        "trigger=replay": {replay},
        "trigger=child": {child},
        "trigger=event": {event},
        "trigger=schedule": set(),
        "version=2": {child},
        "queued=1": {queued},
        "last=24h": {replay, child, event, queued, moving},
        "to=2026-11-20": {old},
        "from=2026-11-20&to=2026-11-20T09:30": set(),
        "from=2026-11-20T10:30%2B01:00&to=2026-11-21": {old},
        "q=3ab0a890": {event},
        f"q={ID[:15]}": {event},
        f"q=run-{ID}": {event},
        f"q={ID.upper()}": {event},
        "q=order-4711": {event},
        "q=order-4711_": {event},
        "q=order_4711": set(),
        "q=4711": set(),
        "q=ORDER-4711": set(),
        "trigger=manual&status=RUNNING&last=1h": {queued, moving},
    }
    for query, runs in expected.items():
        found = set(_rows(operator.page(f"/runs?{query}")))
        assert found == {run.run_id for run in runs}, query


def test_counts_are_under_all_other_filters(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    replayed = builders.run(of, "FAILED", replay_of_run_id=builders.new_id())
    builders.save(store, replayed, builders.run(of, "FAILED"), builders.run(of, "SUCCEEDED"))
    text = operator.page("/runs?trigger=replay&status=SUCCEEDED").text
    assert "FAILED 1" in text
    assert "SUCCEEDED 0" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("trigger=moon", "There is no trigger 'moon'."),
        ("last=1y", "There is no time range '1y'."),
        ("version=two", "'two' is no version"),
        ("version=99999999999", "is no version"),
        ("from=yesterday", "'yesterday' is no time"),
        ("to=0001-01-01T00:00%2B23:00", "is no time"),
        ("q=%00", "holds characters that no key can hold"),
        ("q=" + "x" * 201, "longer than 200"),
    ],
)
@on_both
def test_a_filter_that_means_nothing_is_said(
    operator: Browser, of: WorkflowDefinition, query: str, said: str
) -> None:
    response = operator.get(f"/runs?{query}")
    assert response.status_code == 422
    assert said in Page(response.text).text
    assert operator.get(f"/runs/list.csv?{query}").status_code == 422


def test_every_filter_stays_on_when_pages_are_turned(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    builders.save(store, *(builders.run(of, "SUCCEEDED") for _ in range(51)))
    query = "trigger=manual&version=1&last=7d&status=SUCCEEDED&from=2026-01-01&to=2026-12-31"
    page = operator.page(f"/runs?{query}")
    older = next(a["href"] for a in page.all("a") if a.get("rel") == "next")
    assert set(query.split("&")) <= set(older.split("?")[1].split("&"))
    assert len(_rows(operator.page(older))) == 1


@on_both
def test_a_run_is_found_by_the_key_of_the_event_that_started_it(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    started = builders.run(of, trigger_type="event", correlation_key="beef-4711")
    waits = builders.run(of, "WAITING", started_at=builders.NOW - timedelta(seconds=5))
    named = builders.run(
        of,
        run_id="beef4711-b1e0-43e7-808b-6f7c2f299633",
        started_at=builders.NOW - timedelta(seconds=9),
    )
    builders.save(
        store, started, waits, named, builders.run(of), builders.wait(waits, "event", key="beef-4")
    )
    assert _rows(operator.page("/runs?q=beef")) == [started.run_id, waits.run_id, named.run_id]
    assert _rows(operator.page("/runs?q=beef-4")) == [started.run_id, waits.run_id]
    assert "RUNNING 2 WAITING 1" in operator.page("/runs?q=beef").text
    assert _rows(operator.page("/runs?q=BEEF-4")) == []


@on_both
def test_pages_of_a_search_go_through_what_is_found_once(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    """By id, by what it waits for and by what started it: one run may be found by all three."""
    runs = [
        builders.run(
            of,
            "WAITING",
            run_id=f"abcd{n:04d}-0000-4000-8000-000000000000",
            correlation_key="abcd" if n % 3 == 0 else None,
            started_at=builders.NOW - timedelta(seconds=n // 4),
        )
        for n in range(120)
    ]
    builders.save(store, *runs, *(builders.wait(run, "event", key="abcd") for run in runs[::2]))
    expected = sorted(runs, key=lambda run: (run.started_at, run.run_id), reverse=True)
    address: str | None = "/runs?q=abcd"
    seen: list[str] = []
    last = ""
    while address:
        page, last = operator.page(address), address
        seen += _rows(page)
        address = next((a["href"] for a in page.all("a") if a.get("rel") == "next"), None)
    assert seen == [run.run_id for run in expected]
    back = next(a["href"] for a in operator.page(last).all("a") if a.get("rel") == "prev")
    assert _rows(operator.page(back)) == seen[50:100]


def test_what_is_wrong_with_a_filter_stands_beside_it_and_nothing_is_lost(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    builders.save(store, builders.run(of))
    wrong = {
        "version": "two", "workflow": "nowhere", "trigger": "moon", "last": "1y",
        "from": "yesterday", "to": "soon", "q": "x" * 201,
    }  # fmt: skip
    query = urlencode(wrong | {"status": "RUNNING", "queued": "0"})
    response = operator.get(f"/runs?{query}")
    assert response.status_code == 422
    page = Page(response.text)
    kept = page.form("/runs", status="RUNNING").fields
    assert {name: kept[name] for name in wrong} == wrong
    for name in wrong:
        field = page.by_id(name)
        assert field is not None
        assert field["aria-invalid"] == "true", name
        said = page.by_id(field["aria-describedby"])
        assert said is not None, name
    for query in ("status=DANCING", "queued=perhaps", "columns=colour"):
        beside = Page(operator.get(f"/runs?{query}").text).by_id(f"{query.split('=')[0]}-error")
        assert beside is not None, query


def test_nothing_is_done_to_all_that_a_part_of_the_filters_finds(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    builders.save(store, builders.run(of))
    page = Page(operator.get("/runs?status=RUNNING&from=yesterday").text)
    form = page.form("/runs/selection")
    assert form.fields["query"] == "status=RUNNING&from=yesterday"
    sent = form.fields | {"kind": "cancel", "scope": "matching"}
    refused = operator.post("/runs/bulk", sent)
    assert refused.status_code == 422
    assert "'yesterday' is no time" in Page(refused.text).text


def test_a_time_range_that_ends_before_it_begins_is_said(
    operator: Browser, of: WorkflowDefinition
) -> None:
    response = operator.get("/runs?from=2026-11-23&to=2026-11-22")
    assert response.status_code == 422
    assert Page(response.text).by_id("to-error") is not None
    assert operator.get("/runs?from=2026-11-23&to=2026-11-23").status_code == 200


def test_all_runs_stay_all_runs_beside_a_default_view(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    builders.save(store, builders.run(of))
    operator.post("/runs/views", {"name": "Failed", "query": "status=FAILED", "default": "1"})
    assert operator.get("/runs").location == "/runs?status=FAILED"
    page = operator.page("/runs?all=1")
    assert page.form("/runs/selection").fields["back"] == "all=1"
    shown = page.by_id("run-list")
    assert shown is not None
    later = builders.run(of, started_at=builders.NOW + timedelta(seconds=1))
    builders.save(store, later)
    assert "/runs?all=1" in Page(operator.get(shown["hx-get"], htmx=True).text).links()


@on_both
def test_a_list_that_renews_itself_counts_what_is_new_and_moves_nothing(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    runs = [
        builders.run(of, started_at=builders.NOW - timedelta(seconds=number)) for number in range(3)
    ]
    builders.save(store, *runs)
    shown = operator.page("/runs?status=RUNNING").by_id("run-list")
    assert shown is not None
    with store.writing() as session:
        run = session.merge(runs[1])
        run.status, run.completed_at = "SUCCEEDED", builders.NOW
    later = builders.run(of, started_at=builders.NOW + timedelta(seconds=1))
    ended = builders.run(of, "SUCCEEDED", started_at=builders.NOW + timedelta(seconds=1))
    builders.save(store, later, ended)
    again = Page(operator.get(shown["hx-get"], htmx=True).text)
    assert _rows(again) == [run.run_id for run in runs]
    assert "1 new run " in again.text
    assert "SUCCEEDED" in again.text
    assert "/runs?status=RUNNING" in again.links()
    assert _rows(operator.page("/runs?status=RUNNING"))[0] == later.run_id


def test_ids_are_packed_into_an_address_and_nonsense_unpacks_to_nothing() -> None:
    ids = tuple(builders.new_id() for _ in range(50))
    assert unpack(pack(ids)) == ids
    assert unpack("%%%") == ()
    assert unpack("AAAA") == ()
    assert unpack("é") == ()


def test_a_run_is_jumped_to_by_the_beginning_of_its_id(
    viewer: Browser, store: Store, of: WorkflowDefinition
) -> None:
    builders.save(store, builders.run(of, run_id=ID), builders.run(of))
    for typed in (ID, ID[:8], f" {ID.upper()} ", f"run-{ID}"):
        assert viewer.get(f"/runs/jump?q={typed}").location == f"/runs/{ID}", typed
    other = ID[:-1] + "4"
    builders.save(store, builders.run(of, run_id=other))
    assert viewer.get(f"/runs/jump?q={ID[:8]}").location == f"/runs?q={ID[:8]}"
    assert viewer.get("/runs/jump?q=nothing").location == "/runs?q=nothing"
    assert viewer.get("/runs/jump").location == "/runs"
