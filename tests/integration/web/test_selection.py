"""What is ticked in the list of runs survives its pages, with a script and without."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.services import select_runs
from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both


@pytest.fixture
def runs(store: Store, of: WorkflowDefinition) -> list[str]:
    """Sixty, the newest first: two pages of the list."""
    found = [
        builders.run(of, "FAILED", started_at=builders.NOW - timedelta(seconds=n))
        for n in range(60)
    ]
    builders.save(store, *found)
    return [run.run_id for run in found]


def _ticked(page: Page) -> list[str]:
    boxes = [a for a in page.all("input") if a.get("name") == "run"]
    return [box["value"] for box in boxes if "checked" in box]


def _shown(page: Page) -> list[str]:
    return [a["value"] for a in page.all("input") if a.get("name") == "shown"]


@on_both
def test_without_a_script_it_is_kept_on_the_way_to_the_next_page(
    operator: Browser, runs: list[str]
) -> None:
    first = operator.page("/runs")
    assert _shown(first) == runs[:50]
    older = next(a["value"] for a in first.all("button") if a.get("name") == "go")
    sent = {"shown": runs[:50], "run": runs[:2], "back": "", "query": "", "go": older}
    response = operator.post("/runs/selection", sent)
    assert response.status_code == 303
    assert response.headers["Location"].startswith("/runs?cursor=")
    second = operator.page(response.headers["Location"])
    assert _shown(second) == runs[50:]
    assert "2 selected" in second.text
    operator.post("/runs/selection", {"shown": runs[50:], "run": [runs[55]]})
    assert "3 selected" in operator.page("/runs").text
    assert _ticked(operator.page("/runs")) == runs[:2]
    operator.post("/runs/selection", {"shown": runs[:50], "run": [runs[1]]})
    assert _ticked(operator.page("/runs")) == [runs[1]]


def test_htmx_gets_the_bar_with_the_new_count(operator: Browser, runs: list[str]) -> None:
    response = operator.post(
        "/runs/selection",
        {"shown": runs[:50], "run": runs[:3], "query": "status=FAILED"},
        htmx=True,
    )
    assert response.status_code == 200
    assert response.text.strip().startswith('<section id="bulk-selection"')
    assert "3</strong> selected" in response.text
    assert Page(response.text).form("/runs/selection").fields["query"] == "status=FAILED"


def test_the_poll_of_the_list_knows_what_is_ticked(operator: Browser, runs: list[str]) -> None:
    before = operator.get("/runs", htmx=True).headers["HX-PTag"]
    assert operator.get("/runs", htmx=True, **{"HX-PTag": before}).status_code == 304
    operator.post("/runs/selection", {"shown": runs[:50], "run": runs[:1]})
    changed = operator.get("/runs", htmx=True, **{"HX-PTag": before})
    assert changed.status_code == 200
    assert _ticked(Page(changed.text)) == runs[:1]


def test_all_is_deselected_at_once(operator: Browser, runs: list[str]) -> None:
    operator.post("/runs/selection", {"run": runs})
    response = operator.post("/runs/selection", {"clear": "1", "run": runs[:5], "back": "last=24h"})
    assert response.headers["Location"] == "/runs?last=24h"
    assert "0 selected" in operator.page("/runs").text


@pytest.mark.parametrize("htmx", [False, True])
def test_a_full_selection_says_so(
    operator: Browser, runs: list[str], monkeypatch: pytest.MonkeyPatch, htmx: bool
) -> None:
    monkeypatch.setattr(select_runs, "MOST_SELECTED", 5)
    response = operator.post("/runs/selection", {"run": runs[:6]}, htmx=htmx)
    assert response.status_code == 409
    assert "At most 5 runs can be selected" in response.text


@pytest.mark.parametrize(
    "back", ["//evil.example/", "https://evil.example", "\r\nX: y", "x" * 9000]
)
def test_it_leads_back_to_the_list_and_nowhere_else(
    operator: Browser, runs: list[str], back: str
) -> None:
    response = operator.post("/runs/selection", {"run": runs[:1], "back": back, "go": back})
    assert (response.status_code, response.headers["Location"]) == (303, "/runs")


def test_ids_that_are_none_are_left_out(operator: Browser, runs: list[str]) -> None:
    sent = {"run": ["", "x", "\x00", builders.new_id(), runs[0]], "shown": ["'"]}
    assert operator.post("/runs/selection", sent).status_code == 303
    assert "1 selected" in operator.page("/runs").text


def test_a_viewer_has_no_boxes(viewer: Browser, runs: list[str]) -> None:
    page = viewer.page("/runs")
    assert _shown(page) == []
    assert page.by_id("choose-runs") is None
    assert viewer.post("/runs/selection", {"run": runs[:1]}).status_code == 403
