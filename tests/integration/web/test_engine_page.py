"""GET /engine: what was accepted, started, is open and was mended, and who executes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.services import leases
from engine.services.context import Services
from engine.services.handshake import known_here
from engine.services.reconcile_runs import reconcile
from engine.store.session import Store
from engine.store.workers import WorkerHeartbeat
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.run_cases import a_run

OLD = NOW - timedelta(seconds=50)
on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


def figures(page: Page) -> dict[str, int]:
    ids = ("accepted", "started", "not-started", "never-began", "open", "mended")
    return {id_: int(text_of(page, id_).replace(",", "")) for id_ in ids}


def text_of(page: Page, id_: str) -> str:
    return page.html.split(f'id="{id_}"', 1)[1].split(">", 1)[1].split("<", 1)[0].strip()


def a_worker(store: Store, services: Services, **fields: Any) -> None:
    known = known_here(services)
    assert known is not None
    defaults: dict[str, Any] = {
        "identity": "7@host-a",
        "state": "running",
        "task_queue": "run-studio",
        "namespace": "default",
        "registry_fingerprint": known.fingerprint,
        "registry_json": list(known.actions),
        "release": "0.1.0",
        "slots": 40,
        "slots_used": 3,
        "started_at": OLD,
        "seen_at": NOW,
    }
    builders.save(store, WorkerHeartbeat(**defaults | fields))


@on_both
def test_every_accepted_run_is_in_one_figure_and_they_add_up(
    viewer: Browser, store: Store, services: Services, engine: FakeEngine
) -> None:
    a_worker(store, services)
    a_run(store, engine, started_at=OLD, claimed_by="e")
    a_run(store, engine, status="WAITING", started_at=OLD, claimed_by="e")
    a_run(store, status="SUCCEEDED", started_at=OLD, claimed_by="e")
    a_run(store, started_at=NOW)
    a_run(store, status="CANCELED", started_at=OLD)
    a_run(store, status="FAILED", started_at=OLD)
    lost = a_run(store, started_at=OLD, claimed_by="e")
    a_run(store, status="CANCELED", started_at=OLD, epoch=0)
    assert reconcile(services, "7@host-a") is not None
    page = viewer.page("/engine")
    assert figures(page) == {
        "accepted": 7, "started": 4, "not-started": 1, "never-began": 2, "open": 3, "mended": 1,
    }  # fmt: skip
    assert "7 accepted = 4 started + 1 not started yet + 2 ended before they began" in page.text
    assert "1 runs from before the cut-over" in page.text
    assert "Every run that was accepted is accounted for" in page.text
    assert "by 7@host-a" in page.text
    assert "1 ended as FAILED" in page.text
    assert f"/runs/{lost.run_id}" in page.links()
    assert f"/runs/{lost.run_id}/log" in page.links()
    assert "Temporal does not know this run any more" in page.text


def test_with_nothing_in_it_it_says_that_nobody_works(viewer: Browser) -> None:
    page = viewer.page("/engine")
    assert set(figures(page).values()) == {0}
    assert "No worker is running" in page.text
    assert "The reconciler has never passed" in page.text
    assert "accounted for" not in page.text


def test_a_reconciler_that_has_not_passed_for_a_minute_is_said_loudly(
    viewer: Browser, store: Store, services: Services, clock: Clock
) -> None:
    a_worker(store, services)
    reconcile(services, "7@host-a")
    clock.forward(seconds=60)
    assert "has not passed" not in viewer.page("/engine").text
    clock.forward(seconds=1)
    page = viewer.page("/engine")
    assert "The reconciler has not passed for 1 min 1 s" in page.text
    assert [a for a in page.all("div") if a.get("role") == "alert"]


def test_a_pass_that_is_under_way_or_was_killed_is_not_the_last_one(
    viewer: Browser, store: Store, services: Services, clock: Clock
) -> None:
    a_worker(store, services, seen_at=NOW + timedelta(seconds=100))
    reconcile(services, "7@host-a")
    clock.forward(seconds=90)
    assert leases.take(
        services, "reconciler", "b", held_for=timedelta(seconds=30), every=timedelta(0)
    )
    assert "has not passed for 1 min 30 s" in viewer.page("/engine").text


def test_a_pass_without_temporal_has_compared_nothing_and_says_so(
    viewer: Browser, store: Store, services: Services, engine: FakeEngine
) -> None:
    a_worker(store, services, unready_because="Temporal does not answer")
    engine.down = True
    reconcile(services, "7@host-a")
    page = viewer.page("/engine")
    assert "last pass could not compare anything" in page.text
    assert "Temporal does not answer this process" in page.text
    assert "7@host-a is not ready: Temporal does not answer" in page.text


def test_a_run_that_nobody_started_for_a_minute_is_listed(
    viewer: Browser, store: Store, services: Services
) -> None:
    a_worker(store, services)
    run = a_run(store, started_at=NOW - timedelta(seconds=61))
    never = a_run(store, status="SUCCEEDED", started_at=OLD)
    page = viewer.page("/engine")
    assert "2 accepted runs are neither started nor ended with a reason" in page.text
    assert {f"/runs/{run.run_id}", f"/runs/{never.run_id}"} <= set(page.links())


def test_workers_are_shown_with_what_they_are_and_whether_they_know_the_same(
    viewer: Browser, store: Store, services: Services
) -> None:
    a_worker(store, services)
    known = known_here(services)
    assert known is not None
    a_worker(
        store, services, identity="8@host-b", registry_fingerprint="other", release="0.0.9",
        registry_json=[*known.actions[1:], "theirs.alone@1"],
    )  # fmt: skip
    a_worker(store, services, identity="9@host-c", seen_at=NOW - timedelta(seconds=40))
    a_worker(store, services, identity="1@host-d", state="stopped")
    a_worker(store, services, identity="2@long-ago", seen_at=NOW - timedelta(hours=2))
    page = viewer.page("/engine")
    assert "8@host-b knows other actions than this web" in page.text
    assert f"it lacks {known.actions[0]} and has besides theirs.alone@1" in page.text
    assert "0.0.9 not the web's" in page.text
    assert "3 of 40" in page.text
    assert "9@host-c gone" in page.text
    assert "1@host-d stopped" in page.text
    assert "2@long-ago" not in page.text


def test_what_is_on_its_way_is_counted(
    viewer: Browser, store: Store, services: Services, engine: FakeEngine
) -> None:
    a_run(store, engine, started_at=OLD, claimed_by="e", cancel_requested_at=OLD)
    assert "1 cancels, 0 events" in viewer.page("/engine").text


def test_it_polls_and_says_nothing_where_nothing_has_changed(viewer: Browser) -> None:
    page = viewer.page("/engine")
    polled = page.by_id("engine")
    assert polled is not None
    assert polled["hx-get"] == "/engine"
    again = viewer.get("/engine", htmx=True, **{"HX-PTag": polled["hx-ptag"]})
    assert (again.status_code, again.text) == (304, "")


def test_every_page_leads_to_it_and_nobody_sees_it_without_a_session(
    viewer: Browser, anybody: Browser
) -> None:
    assert "/engine" in viewer.page("/runs").links()
    assert anybody.get("/engine").status_code == 303
