"""Which run another is compared with: named, pasted, begun to be typed, or the obvious one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page


@pytest.fixture
def two(store: Store, of: WorkflowDefinition) -> tuple[WorkflowRun, WorkflowRun]:
    """A run and its replay."""
    old = builders.run(of, "FAILED")
    later = builders.NOW + timedelta(minutes=1)
    new = builders.run(of, "SUCCEEDED", replay_of_run_id=old.run_id, started_at=later)
    builders.save(store, old, new, builders.step(new))
    return old, new


def test_without_a_partner_it_is_the_replay_or_what_is_replayed(
    operator: Browser, two: tuple[WorkflowRun, WorkflowRun]
) -> None:
    old, new = two
    for one, other in ((old, new), (new, old)):
        page = operator.page(f"/runs/{one.run_id}/compare")
        field = page.by_id("with")
        assert field is not None
        assert field["value"] == other.run_id
        assert "Here the runs part" in page.text


BAD = [
    ("", 422, "Type or paste"),
    ("nope", 422, "no id of a run"),
    ("%00", 422, "no id of a run"),
    ("x" * 5000, 422, "no id of a run"),
    ("11111111-1111-4111-8111-111111111111", 404, "There is no run 11111111"),
]


@pytest.mark.parametrize(("typed", "status", "says"), BAD)
@pytest.mark.parametrize("htmx", [True, False])
def test_a_bad_id_is_said_beside_its_field(
    operator: Browser, store: Store, of: WorkflowDefinition, typed: str, status: int, says: str,
    htmx: bool,
) -> None:  # fmt: skip
    run = builders.run(of)
    builders.save(store, run)
    response = operator.get(f"/runs/{run.run_id}/compare?with={typed}", htmx=htmx)
    assert response.status_code == status
    page = Page(response.text)
    field = page.by_id("with")
    assert field is not None
    assert field["aria-describedby"] == "with-error"
    assert says in page.text
    assert ("<html" in response.text) is not htmx


def test_the_same_run_is_refused_and_a_pasted_address_is_read(
    operator: Browser, two: tuple[WorkflowRun, WorkflowRun]
) -> None:
    old, new = two
    same = operator.get(f"/runs/{old.run_id}/compare?with={old.run_id.upper()}")
    assert (same.status_code, "the same run" in same.text) == (422, True)
    pasted = f"https://studio.example/runs/{new.run_id}/graph"
    assert "Here the runs part" in operator.page(f"/runs/{old.run_id}/compare?with={pasted}").text


@pytest.mark.parametrize("bad", ["nope", "%00", "11111111-1111-4111-8111-111111111111"])
def test_a_page_of_no_run_is_404(operator: Browser, bad: str) -> None:
    assert operator.get(f"/runs/{bad}/compare").status_code == 404


def test_without_any_other_run_the_page_says_what_to_do(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(store, run)
    assert "no other run" in operator.page(f"/runs/{run.run_id}/compare").text
    other = builders.run(of)
    builders.save(store, other)
    links = operator.page(f"/runs/{run.run_id}/compare").links()
    assert f"/runs/{run.run_id}/compare?with={other.run_id}" in links


def test_the_beginning_of_an_id_is_enough_where_it_is_one_run_s(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    ids = [f"{head}-1111-4111-8111-111111111111" for head in ("aaaa0001", "bbbb0001", "bbbb0002")]
    builders.save(store, *(builders.run(of, run_id=run_id) for run_id in ids))
    address = f"/runs/{ids[0]}/compare?with="
    assert "Both executed version 1" in operator.page(f"{address}BBBB0001").text
    for typed, says in (("bbbb00", "Several runs"), ("cccc0001", "begins with"),
                        ("aaaa0001", "the same run"), ("bbbb", "no id")):  # fmt: skip
        response = operator.get(address + typed)
        assert (response.status_code, says in response.text) == (422, True), typed
