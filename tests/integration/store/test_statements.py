"""How often a step and a run's end go to the database, counted (docs/rules.md 3).

Each statement and each commit is a round trip that every step of every run pays; `make bench` says
what that comes to, these tests that it does not creep up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import event

from engine.contract import Claim, Finish
from engine.services.action_attempt import ActionTools
from engine.services.claim_run import claim_run
from engine.services.context import Services
from engine.services.finish_run import finish_run
from engine.services.perform_action import perform_action
from engine.store.session import Store
from engine.store.tables import WorkflowRun
from tests.attempts import Calls, FakePulse, action, batch, call, tools
from tests.integration.store.performed import QUICK, rows


@dataclass
class Seen:
    statements: list[str] = field(default_factory=list)
    commits: int = 0


def test_a_quick_step_after_the_first_takes_two_statements_and_one_commit(
    services: Services, run: WorkflowRun
) -> None:
    known = _known(services)
    wanted = call(run, quick=True)
    settled = replace(wanted, batch=replace(wanted.batch, sweep=False))

    with _seen(services.store) as seen:
        perform_action(services, known, settled, FakePulse())

    assert [_verb(text) for text in seen.statements] == ["INSERT", "INSERT"]
    assert seen.commits == 1


def test_the_first_step_of_a_workflow_task_looks_twice_more_at_the_run_s_row(
    services: Services, run: WorkflowRun
) -> None:
    """Once before the action, with the ledger; once in the transaction that records it."""
    known = _known(services)

    with _seen(services.store) as seen:
        perform_action(services, known, call(run, quick=True), FakePulse())

    assert len(seen.statements) <= 5, seen.statements
    assert seen.commits <= 2


def test_ending_a_run_that_nothing_hangs_on_takes_three_statements(
    services: Services, run: WorkflowRun
) -> None:
    claim_run(services, Claim(run.run_id, "first"))

    with _seen(services.store) as seen:
        finish_run(services, Finish(run.run_id, batch(run), "SUCCEEDED"))

    assert [_verb(text) for text in seen.statements] == ["SELECT", "UPDATE", "SELECT"]
    assert seen.commits == 1
    [ended] = rows(services.store, WorkflowRun, run_id=run.run_id)
    assert ended.status == "SUCCEEDED"


def _known(services: Services) -> ActionTools:
    """Whether there is a quota is asked every few seconds, not each step: it is asked here."""
    known = tools(action(Calls(), **QUICK))
    assert not known.quota.applies(services)
    return known


@contextmanager
def _seen(store: Store) -> Iterator[Seen]:
    """BEGIN, which SQLite is told and PostgreSQL is not, does not count."""
    seen = Seen()

    def executed(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if _verb(text) != "BEGIN":
            seen.statements.append(text)

    def committed(_connection: Any) -> None:
        seen.commits += 1

    heard: list[tuple[str, Callable[..., None]]] = [
        ("before_cursor_execute", executed),
        ("commit", committed),
    ]
    for name, listener in heard:
        event.listen(store.engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in heard:
            event.remove(store.engine, name, listener)


def _verb(statement: str) -> str:
    return statement.split(None, 1)[0]
