"""An answer and the run's own activities take their locks in one order (docs/rules.md 7)."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select, text, update

from engine.gateway.executions import UpdateOutcome, UpdateState
from engine.services.answer_task import AnswerReceipt, AnswerState, answer_task
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.tasks import WorkflowHumanTask
from tests import builders
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, a_run

_WAITERS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def _blocks(store: Store) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with store.reading() as session:
            if session.scalar(_WAITERS):
                return
        time.sleep(0.02)
    pytest.fail("the answer waits for nobody")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_answer_waits_for_the_runs_row_before_it_touches_the_task(store: Store) -> None:
    """The activity that closes the wait has locked the run, and then wants the task."""
    engine = FakeEngine()
    run = a_run(store, engine)
    task = builders.human_task(run)
    builders.save(store, task)
    engine.update_outcome = UpdateOutcome(UpdateState.ACCEPTED)
    services = builders.services(store, gateway=engine)
    receipts: list[AnswerReceipt] = []

    def answer() -> None:
        receipts.append(answer_task(services, task.task_id, SOMEBODY, {"ok": True}, "token"))

    answering = threading.Thread(target=answer)
    of_run = WorkflowRun.run_id == run.run_id
    of_task = WorkflowHumanTask.task_id == task.task_id
    with store.writing() as activity:
        activity.execute(select(WorkflowRun.status).where(of_run).with_for_update())
        answering.start()
        _blocks(store)
        activity.execute(update(WorkflowHumanTask).where(of_task).values(title="Approved"))
    answering.join(10)
    assert [receipt.state for receipt in receipts] == [AnswerState.ACCEPTED]
