"""The list of runs in a browser: ticks survive its pages, and its counts renew themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect

from tests import builders
from tests.e2e.conftest import Seen


def _runs(seen: Seen, count: int) -> list[str]:
    of, _ = builders.published(seen.store, "greet", name="Greet somebody")
    runs = [
        builders.run(of, "FAILED", started_at=builders.NOW - timedelta(seconds=n))
        for n in range(count)
    ]
    builders.save(seen.store, *runs)
    return [run.run_id for run in runs]


def test_ticks_survive_the_pages_and_columns_are_chosen(
    seen: Seen, look: Callable[..., Page], scripted: bool
) -> None:
    runs = _runs(seen, 60)
    page = look(java_script_enabled=scripted)
    page.goto("/runs?all=1")
    for run_id in runs[:2]:
        page.locator(f"#row-{run_id} input[name=run]").check()
    if scripted:
        expect(page.locator(".selection-count")).to_have_text("2 selected")
    page.locator(".pager :text-is('Older'):visible").click()
    page.locator(f"#row-{runs[55]} input[name=run]").check()
    if scripted:
        expect(page.locator(".selection-count")).to_have_text("3 selected")
    page.locator(".pager :text-is('Newer'):visible").click()
    expect(page.locator(".selection-count")).to_have_text("3 selected")
    expect(page.locator("#run-list input[name=run]:checked")).to_have_count(2)

    page.locator("#choose-columns > summary").click()
    page.locator("#choose-columns input[value=duration]").uncheck()
    page.locator("#choose-columns input[value=trigger]").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Trigger")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Duration")).to_have_count(0)
    expect(page.locator("#run-list input[name=run]:checked")).to_have_count(2)


def test_new_runs_are_counted_above_rows_that_stay_where_they_are(
    seen: Seen, look: Callable[..., Page]
) -> None:
    runs = _runs(seen, 3)
    page = look()
    page.goto("/runs?all=1")
    first = page.locator(f"#row-{runs[0]}")
    before = first.bounding_box()
    of, _ = builders.published(seen.store, "other")
    builders.save(
        seen.store, builders.run(of, "FAILED", started_at=builders.NOW + timedelta(seconds=1))
    )
    expect(page.locator(".new-runs")).to_have_text("1 new run")
    expect(page.locator("#count-failed")).to_have_text("4")
    expect(page.locator("#run-list .count")).to_have_count(0)
    assert first.bounding_box() == before
    page.locator(".new-runs").click()
    expect(page.locator("#run-list tbody tr")).to_have_count(4)


def test_a_filter_that_is_chosen_is_all_that_the_address_says(
    seen: Seen, look: Callable[..., Page]
) -> None:
    _runs(seen, 3)
    page = look()
    page.goto("/runs?all=1")
    for chosen, address in (("manual", "trigger=manual"), ("", "all=1")):
        page.locator("#trigger").select_option(chosen)
        page.get_by_role("button", name="Apply").click()
        expect(page).to_have_url(f"{seen.url}/runs?{address}")
