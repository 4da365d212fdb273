"""Workflow tasks that Temporal repeats without a word in the history: lost a second time.

Their repetition has the same length of history; when it started tells them apart.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.contract import ClosedWait, Guard
from engine.services.context import Services
from engine.services.deliver_event import deliver_event
from engine.services.record_progress import record_progress
from engine.services.take_quota import QuotaLimit
from engine.services.track_wait import open_wait
from engine.store.tables import (
    WorkflowEventDelivery,
    WorkflowHumanTask,
    WorkflowRun,
    WorkflowRunStep,
    WorkflowRunWait,
)
from tests.attempts import STARTED_AT, batch, guard, record
from tests.builders import NOW
from tests.integration.store.performed import step_row
from tests.integration.store.recorded import WAIT_ID, a_wait, row_of, rows
from tests.run_cases import SOMEBODY

LOST, REPEATED = (guard(9, completed=3, task=at, completed_task=30) for at in (90, 100))
EVENT_ID = "0b0f6d0e-8a9f-4b52-a5a3-5d2f0c1d2e3f"
NEXT = guard(15, completed=9, task=150, completed_task=100)


def after(guard: Guard) -> Guard:
    """Of the same task, a batch later."""
    return replace(guard, counter=guard.counter + 1)


@pytest.mark.parametrize(
    ("said", "status"),
    [("STARTED", "STARTED"), ("STARTED", "SUCCEEDED"), ("SUCCEEDED", "SUCCEEDED")],
)
@pytest.mark.parametrize("writes", [REPEATED, NEXT])
def test_a_step_began_when_the_task_that_counts_says(
    services: Services, run: WorkflowRun, said: str, status: str, writes: Guard
) -> None:
    first = record(status=said)
    again = replace(
        first, status=status, started_at=first.started_at + 20_000, position=first.position + 3
    )
    record_progress(services, batch(run, first, guard=LOST))
    record_progress(services, batch(run, again, guard=writes))

    row = step_row(services.store, run)
    assert round(row.started_at.timestamp() * 1000) == again.started_at
    assert row.position == again.position


@pytest.mark.parametrize("next_one", [REPEATED, NEXT])
def test_what_only_the_lost_one_did_is_superseded(
    services: Services, run: WorkflowRun, next_one: Guard
) -> None:
    """By its repetition or, if that wrote nothing, by the task after it."""
    record_progress(services, batch(run, record(), guard=guard(3, task=30)))
    lost = record(path="root.steps[1]", position=2)
    record_progress(services, batch(run, lost, guard=LOST, first_position=0))
    later = record(path="root.steps[2]", position=2)
    answer = record_progress(services, batch(run, later, guard=next_one, first_position=1))

    superseded = {row.step_path: row.superseded for row in rows(services.store, WorkflowRunStep)}
    assert superseded == {"root.steps[0]": False, "root.steps[1]": True, "root.steps[2]": False}
    assert answer.repeated


def test_rows_of_a_release_that_did_not_know_its_tasks_are_not_superseded(
    services: Services, run: WorkflowRun
) -> None:
    record_progress(services, batch(run, record(), guard=guard(9, completed=3)))
    other = record(path="root.steps[1]", position=2)
    answer = record_progress(services, batch(run, other, guard=NEXT))

    assert not any(row.superseded for row in rows(services.store, WorkflowRunStep))
    assert not answer.repeated


def test_a_label_of_the_lost_one_gives_way(services: Services, run: WorkflowRun) -> None:
    """Though the lost one had come further, and counted more batches."""
    record_progress(services, batch(run, guard=replace(LOST, counter=7), state="further"))
    record_progress(services, batch(run, guard=replace(REPEATED, counter=5), state="so far"))
    assert row_of(services.store, run).state_label == "so far"

    record_progress(services, batch(run, guard=replace(LOST, counter=8), state="too late"))
    assert row_of(services.store, run).state_label == "so far"


class TestWaits:
    """The lost one has opened and closed a wait; its repetition comes to something else."""

    def opened(self, services: Services, run: WorkflowRun, guard: Guard, **fields: Any) -> None:
        wanted = a_wait(run, **{"wait_type": "event", "event_name": "go"} | fields)
        open_wait(services, QuotaLimit(), replace(wanted, batch=batch(run, guard=guard)))

    def closed(
        self, services: Services, run: WorkflowRun, guard: Guard, outcome: str, **fields: Any
    ) -> None:
        wait = ClosedWait(WAIT_ID, outcome, STARTED_AT, **fields)
        record_progress(services, batch(run, guard=guard, closed_waits=[wait]))

    def test_it_lasts_and_ends_as_the_task_that_counts_says(
        self, services: Services, run: WorkflowRun
    ) -> None:
        for number, task in enumerate((LOST, REPEATED)):
            timeout_at = round(NOW.timestamp() * 1000) + number * 20_000
            self.opened(services, run, task, wait_type="time", timeout_at=timeout_at)
            wait = ClosedWait(WAIT_ID, "RESOLVED", timeout_at)
            record_progress(services, batch(run, guard=after(task), closed_waits=[wait]))

        [row] = rows(services.store, WorkflowRunWait)
        assert row.status == "RESOLVED"
        assert row.resolved_at == row.timeout_at == NOW + timedelta(seconds=20)

    def test_it_is_open_again_until_the_repetition_closes_it(
        self, services: Services, run: WorkflowRun
    ) -> None:
        self.opened(services, run, LOST)
        self.closed(services, run, after(LOST), "CANCELED")
        self.opened(services, run, REPEATED)
        [row] = rows(services.store, WorkflowRunWait)
        assert (row.status, row.resolved_at) == ("WAITING", None)

        self.closed(services, run, after(LOST), "CANCELED")
        [row] = rows(services.store, WorkflowRunWait)
        assert row.status == "WAITING", "what the lost one says late counts no more"

    def test_an_activity_of_the_same_task_that_is_late_opens_nothing(
        self, services: Services, run: WorkflowRun
    ) -> None:
        self.opened(services, run, LOST)
        self.closed(services, run, after(LOST), "RESOLVED")
        self.opened(services, run, LOST)

        [row] = rows(services.store, WorkflowRunWait)
        assert row.status == "RESOLVED"

    def test_a_cancel_takes_the_place_of_its_end_and_the_event_was_missed(
        self, services: Services, run: WorkflowRun
    ) -> None:
        self.opened(services, run, guard(3, task=30))
        deliver_event(services, "go", None, {}, event_id=EVENT_ID, actor=SOMEBODY)
        event: dict[str, Any] = {"event_id": EVENT_ID, "payload": {"matchedEventId": EVENT_ID}}
        self.closed(services, run, LOST, "RESOLVED", **event)
        [delivery] = rows(services.store, WorkflowEventDelivery)
        assert delivery.status == "OBSERVED"

        nothing: dict[str, Any] = {"payload": {"matchedEventId": None}}
        self.closed(services, run, REPEATED, "CANCELED", **nothing)
        [row], [delivery] = (
            rows(services.store, table) for table in (WorkflowRunWait, WorkflowEventDelivery)
        )
        assert (row.status, delivery.status) == ("CANCELED", "MISSED")
        assert row.payload["matchedEventId"] is None

    def test_so_does_the_task_with_it(self, services: Services, run: WorkflowRun) -> None:
        self.opened(services, run, guard(3, task=30), wait_type="human", event_name=None)
        self.closed(services, run, LOST, "RESOLVED", task={"status": "EXPIRED"})
        self.closed(services, run, REPEATED, "CANCELED", task={"status": "CANCELED"})

        [task] = rows(services.store, WorkflowHumanTask)
        assert task.status == "CANCELED"

    @pytest.mark.parametrize("ended", ["EXPIRED", "CANCELED"])
    def test_so_is_a_task_open_again_with_it(
        self, services: Services, run: WorkflowRun, ended: str
    ) -> None:
        """Else the workflow would wait for an answer that nobody can give."""
        human: dict[str, Any] = {"wait_type": "human", "event_name": None}
        self.opened(services, run, LOST, **human)
        outcome = "RESOLVED" if ended == "EXPIRED" else "CANCELED"
        self.closed(services, run, after(LOST), outcome, task={"status": ended})
        self.opened(services, run, REPEATED, **human)

        [wait], [task] = (
            rows(services.store, table) for table in (WorkflowRunWait, WorkflowHumanTask)
        )
        assert (wait.status, task.status) == ("WAITING", "OPEN")

    def test_a_task_that_its_own_workflow_task_has_ended_stays_so(
        self, services: Services, run: WorkflowRun
    ) -> None:
        human: dict[str, Any] = {"wait_type": "human", "event_name": None}
        self.opened(services, run, LOST, **human)
        self.closed(services, run, after(LOST), "RESOLVED", task={"status": "EXPIRED"})
        self.opened(services, run, LOST, **human)

        [task] = rows(services.store, WorkflowHumanTask)
        assert task.status == "EXPIRED"


class TestReset:
    """By Temporal's own tools: the new execution's history is shorter than rows know it."""

    BEFORE = guard(29, completed=23, task=90, completed_task=80)
    RESET = guard(15, completed=9, task=150, completed_task=140)

    def test_a_task_that_was_answered_may_be_answered_again(
        self, services: Services, run: WorkflowRun
    ) -> None:
        self.opened(services, run, self.BEFORE)
        self.answered(services, run, after(self.BEFORE))
        self.opened(services, run, self.RESET)
        [row], [task] = self.found(services)
        assert (row.status, task.status, task.answer_json) == ("WAITING", "OPEN", None)

        self.answered(services, run, after(self.RESET))
        [row], [task] = self.found(services)
        assert (row.status, task.status) == ("RESOLVED", "ANSWERED")

    def opened(self, services: Services, run: WorkflowRun, guard: Guard) -> None:
        wanted = a_wait(run, wait_type="human", batch=batch(run, guard=guard))
        open_wait(services, QuotaLimit(), wanted)

    def answered(self, services: Services, run: WorkflowRun, guard: Guard) -> None:
        task = {"status": "ANSWERED", "answer": {"ok": True}, "answeredAt": STARTED_AT}
        wait = ClosedWait(WAIT_ID, "RESOLVED", STARTED_AT, task=task)
        record_progress(services, batch(run, guard=guard, closed_waits=[wait]))

    def found(self, services: Services) -> tuple[list[Any], list[Any]]:
        return rows(services.store, WorkflowRunWait), rows(services.store, WorkflowHumanTask)
