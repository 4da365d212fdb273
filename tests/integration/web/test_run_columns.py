"""Which columns the list of runs shows: chosen without a script, kept in the address."""

from __future__ import annotations

from urllib.parse import unquote

from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page


def _titles(page: Page) -> list[str]:
    cells = [a["data-label"] for a in page.all("td") if "data-label" in a]
    return list(dict.fromkeys(cells))


def test_columns_are_chosen_without_a_script_and_stay_in_the_address(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    builders.save(store, *(builders.run(of, "FAILED") for _ in range(51)))
    page = operator.page("/runs?status=FAILED")
    assert _titles(page) == ["Run", "Workflow", "Started", "Duration", "By"]
    form = page.form("/runs", columns="by")
    assert form.method == "get"
    assert form.fields["status"] == "FAILED"
    chosen = "status=FAILED&columns=run&columns=trigger&columns=version"
    page = operator.page(f"/runs?{chosen}")
    assert _titles(page) == ["Run", "Version", "Trigger"]
    assert page.form("/runs", status="FAILED").fields["columns"] == "version,trigger"
    shown = page.by_id("run-list")
    assert shown is not None
    older = next(a["href"] for a in page.all("a") if a.get("rel") == "next")
    for address in (older, shown["hx-get"]):
        assert "columns=version,trigger" in unquote(address)
        assert "status=FAILED" in address
    assert _titles(operator.page(older)) == ["Run", "Version", "Trigger"]
    assert _titles(operator.page("/runs?columns=run")) == ["Run"]


def test_columns_are_part_of_a_saved_view_and_not_of_what_is_done_to_all_that_match(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    builders.save(store, builders.run(of, replay_of_run_id=builders.new_id()))
    page = operator.page("/runs?columns=replay,trigger")
    assert page.form("/runs/selection").fields["query"] == ""
    saved = operator.submit(page.form("/runs/views"), name="Lineage")
    assert saved.location == "/runs?columns=trigger%2Creplay"
    assert _titles(operator.page(saved.location)) == ["Run", "Trigger", "Replay of"]
    again = operator.get("/runs?columns=weight").text
    assert "There is no column" in again
