"""The last projection decides: a cancel that comes while it is made has come too late.

The activity is held open, so that the cancel meets it every time and not by luck; the last second
of a run is searched at random in test_last_second.py (docs/rules.md 4).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from engine.activities import make
from engine.contract import Finish, Finished
from engine.services.cancel_run import CancelOutcome, cancel_run
from engine.services.context import Services
from engine.services.finish_run import finish_run
from engine.store.tables import WorkflowRunLog
from tests.run_cases import SOMEBODY
from tests.steps import act
from tests.studio import Studio

pytestmark = pytest.mark.temporal

CANCEL = "WORKFLOW_EXECUTION_CANCEL_REQUESTED"


class Gate:
    """Lets no final projection write before it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def pass_through(self, services: Services, wanted: Finish) -> Finished:
        self.reached.set()
        assert self.open.wait(20)
        return finish_run(services, wanted)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    monkeypatch.setattr(make, "finish_run", made.pass_through)
    yield made
    made.open.set()


def by_service(studio: Studio, run_id: str) -> None:
    receipt = cancel_run(studio.services, run_id, SOMEBODY, "second thoughts")
    assert receipt.outcome is CancelOutcome.REQUESTED


def by_temporals_own_tools(studio: Studio, run_id: str) -> None:
    studio.cancel(run_id, row=False)


def has_been_told(events: list[str]) -> bool:
    """The workflow has the cancel: a task completed behind it."""
    if CANCEL not in events:
        return False
    return "WORKFLOW_TASK_COMPLETED" in events[events.index(CANCEL) :]


def log_of(studio: Studio, run_id: str) -> list[str]:
    with studio.store.reading() as session:
        return list(
            session.scalars(select(WorkflowRunLog.message).where(WorkflowRunLog.run_id == run_id))
        )


@pytest.mark.parametrize("ask", [by_service, by_temporals_own_tools])
def test_a_cancel_while_the_end_is_written_comes_too_late_and_changes_nothing(
    worked: Studio, gate: Gate, ask: Callable[[Studio, str], None]
) -> None:
    run_id = worked.start(worked.publish(act("only", "quick")))
    assert gate.reached.wait(20)
    ask(worked, run_id)
    worked.eventually(lambda: has_been_told(worked.events(run_id)), 5)
    gate.open.set()
    row = worked.ended(run_id)
    assert (row.status, worked.temporal_status(run_id)) == ("SUCCEEDED", "COMPLETED")
    assert row.error_json is None
    assert worked.outline(run_id) == [("only", 1, "SUCCEEDED")]
    if ask is by_service:
        assert row.cancel_requested_at is not None
        assert "The cancel came too late: the run was ending already." in log_of(worked, run_id)
