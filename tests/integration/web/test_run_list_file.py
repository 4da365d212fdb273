"""The list of runs as a file: all that is found, and nothing that a spreadsheet would execute."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from blueprints.runs.csv_file import harmless
from engine.services import find_runs
from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser


def test_the_file_holds_what_the_filters_find_and_no_formula(viewer: Browser, store: Store) -> None:
    bad, _ = builders.published(store, "bad", name='=HYPERLINK("http://evil.example")')
    run, other = builders.run(bad, "SUCCEEDED"), builders.run(bad, "FAILED")
    builders.save(store, run, other)
    response = viewer.get("/runs/list.csv?status=SUCCEEDED")
    assert response.status_code == 200
    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(response.text))
    assert row["run_id"] == run.run_id
    assert row["workflow_name"] == '\'=HYPERLINK("http://evil.example")'
    assert row["duration_ms"] == "1000"


def test_the_file_holds_all_that_is_found_and_what_each_run_was_born_of(
    viewer: Browser, store: Store, of: WorkflowDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_runs, "_AT_ONCE", 50)
    runs = [
        builders.run(of, started_at=builders.NOW - timedelta(seconds=n // 3)) for n in range(150)
    ]
    replay = builders.run(
        of, replay_of_run_id=runs[0].run_id, started_at=builders.NOW + timedelta(seconds=1)
    )
    builders.save(store, *runs, replay)
    first, *rows = csv.DictReader(io.StringIO(viewer.get("/runs/list.csv?columns=by").text))
    assert (first["run_id"], first["trigger"]) == (replay.run_id, "replay")
    assert first["replay_of"] == runs[0].run_id
    assert {row["run_id"] for row in rows} == {run.run_id for run in runs}
    assert len(rows) == 150
    assert {row["trigger"] for row in rows} == {"manual"}


@pytest.mark.parametrize(
    "text",
    [
        "=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\ufeff=1",
        "\u200b-1", "\u3000+1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\tx", "\x00=1",
    ],
)  # fmt: skip
def test_a_cell_that_begins_as_a_formula_is_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["a=1", "2026", "", "\u200b", "n-1"])
def test_a_cell_that_is_no_formula_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text
