"""What has happened travels with the next activity, and is not lost before one has answered."""

from __future__ import annotations

from typing import Any

import pytest

from engine.contract import ClosedWait, StepRecord
from engine.durable.outbox import FULL_BYTES, FULL_RECORDS, Outbox, TaskOrder


def record(status: str = "SUCCEEDED", **fields: Any) -> StepRecord:
    defaults: dict[str, Any] = {
        "position": 1,
        "step_id": "first",
        "path": "root.steps[0]",
        "iter": [],
        "kind": "state.set",
        "status": status,
    }
    return StepRecord(**defaults | fields)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox("r", TaskOrder(ordinal=0))


def test_a_batch_takes_everything_and_leaves_nothing(outbox: Outbox) -> None:
    outbox.add(record())
    outbox.note_state("sending")
    outbox.close_wait(ClosedWait("w", "RESOLVED", 1))
    batch = outbox.take()

    assert (len(batch.records), batch.state, len(batch.closed_waits)) == (1, "sending", 1)
    assert outbox.is_empty
    assert outbox.bytes == 0


def test_an_end_takes_the_place_of_its_beginning(outbox: Outbox) -> None:
    outbox.add(record("STARTED"))
    outbox.add(record(path="root.steps[1]"))
    outbox.add(record("SUCCEEDED"))

    records = outbox.take().records
    assert [(one.path, one.status) for one in records] == [
        ("root.steps[0]", "SUCCEEDED"),
        ("root.steps[1]", "SUCCEEDED"),
    ]


def test_attempts_and_iterations_are_rows_of_their_own(outbox: Outbox) -> None:
    for fields in ({}, {"attempt": 2}, {"iter": [0]}, {"iter": [1]}):
        outbox.add(record(**fields))

    assert len(outbox) == 4


def test_what_was_never_answered_is_put_back_before_what_came_since(outbox: Outbox) -> None:
    outbox.add(record("STARTED"))
    outbox.add(record(path="root.steps[1]"))
    outbox.note_state("first")
    lost = outbox.take()
    outbox.add(record("SUCCEEDED"))
    outbox.put_back(lost)
    again = outbox.take()

    assert [(one.path, one.status) for one in again.records] == [
        ("root.steps[0]", "SUCCEEDED"),
        ("root.steps[1]", "SUCCEEDED"),
    ]
    assert again.state == "first"


def test_a_newer_state_stays_when_an_older_one_is_put_back(outbox: Outbox) -> None:
    outbox.note_state("older")
    lost = outbox.take()
    outbox.note_state("newer")
    outbox.put_back(lost)

    assert outbox.take().state == "newer"


def test_it_is_full_by_count_and_by_size(outbox: Outbox) -> None:
    outbox.add(record(output="x" * FULL_BYTES))
    assert outbox.is_full
    outbox.take()
    for index in range(FULL_RECORDS):
        assert not outbox.is_full
        outbox.add(record(iter=[index]))
    assert outbox.is_full


def test_a_guard_says_which_task_it_is_and_which_was_completed_before(outbox: Outbox) -> None:
    order = outbox.order
    found = []
    for history, at in ((3, 100), (3, 110), (9, 200), (15, 300)):
        order.stand_at(history, at)
        order.position += 1
        batch = outbox.take()
        guard = batch.guard
        found.append((guard.order, (guard.completed_history, guard.completed_task)))
        assert batch.first_position <= order.position

    assert found == [
        ((0, 3, 100), (0, 0)),
        ((0, 3, 100), (0, 0)),
        ((0, 9, 200), (3, 100)),
        ((0, 15, 300), (9, 200)),
    ]


def test_a_batch_says_what_began_since_the_task_before(outbox: Outbox) -> None:
    """A task that was lost a second time left its rows at the place of the one that counts."""
    firsts = []
    for history in (3, 9, 15, 21):
        outbox.order.stand_at(history, history)
        outbox.order.position += 2
        firsts.append(outbox.take().first_position)

    assert firsts == [0, 0, 2, 4]


def test_rows_of_a_lost_task_are_looked_for_until_an_activity_of_the_task_answers(
    outbox: Outbox,
) -> None:
    outbox.order.stand_at(3, 100)
    assert outbox.take().sweep
    outbox.order.answered = outbox.order.repeated = True
    assert (outbox.take().sweep, outbox.take().repeated) == (False, True)
    outbox.order.stand_at(9, 200)
    assert (outbox.take().sweep, outbox.take().repeated) == (True, False)
