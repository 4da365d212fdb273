"""What the pages of a run cost does not grow with its steps (docs/rules.md 13)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import pytest
from sqlalchemy import event

from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser
from tests.integration.web.marks import on_both
from tests.long_runs import DOCUMENT, long_run

FEW, MANY = 60, 5_000
PAGES: Final = ["", "/timeline", "/graph", "/log", "/log?q=done", "/calls", "/audit"]
MOST_S: Final = 0.3


@pytest.fixture
def of(store: Store) -> WorkflowDefinition:
    found, _ = builders.published(store, "long", document=builders.document("long", **DOCUMENT))
    return found


@contextmanager
def _statements(store: Store) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine, "before_cursor_execute", note)


def _cpu_s(act: Callable[[], object]) -> float:
    """The least of several tries: of this process alone, whatever else the machine does."""
    act()
    taken = []
    for _ in range(7):
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.fixture
def runs(store: Store, of: WorkflowDefinition) -> dict[int, str]:
    """By how many steps they have had."""
    return {steps: long_run(store, of, steps).run_id for steps in (FEW, MANY)}


@on_both
def test_every_page_of_a_run_of_5000_steps_asks_as_often_and_costs_about_as_much(
    operator: Browser, store: Store, runs: dict[int, str]
) -> None:
    for page in PAGES:
        counts, seconds = {}, {}
        for steps, run_id in runs.items():
            address = f"/runs/{run_id}{page}"
            seconds[steps] = _cpu_s(partial(operator.page, address))
            with _statements(store) as asked:
                operator.page(address)
            counts[steps] = len(asked)
        assert counts[MANY] <= counts[FEW] + 1, page
        assert seconds[MANY] < MOST_S, page
        assert seconds[MANY] < 3 * seconds[FEW] + 0.02, (page, seconds)


@on_both
def test_a_poll_costs_as_much_whether_something_has_changed_or_not(
    operator: Browser, store: Store, runs: dict[int, str]
) -> None:
    for page in ("", "/timeline", "/graph"):
        changed, unchanged, counts = {}, {}, {}
        for steps, run_id in runs.items():
            ask = partial(operator.get, f"/runs/{run_id}{page}", htmx=True)
            tag = ask().headers["HX-PTag"]
            poll, poll_anew = partial(ask, **{"HX-PTag": tag}), partial(ask, **{"HX-PTag": "old"})
            assert (poll().status_code, poll_anew().status_code) == (304, 200)
            unchanged[steps], changed[steps] = _cpu_s(poll), _cpu_s(poll_anew)
            with _statements(store) as asked:
                poll_anew()
            counts[steps] = len(asked)
        assert unchanged[MANY] < 2 * unchanged[FEW] + 0.002, (page, unchanged)
        assert changed[MANY] < 2 * changed[FEW] + 0.03, (page, changed)
        assert counts[MANY] <= counts[FEW] + 1
