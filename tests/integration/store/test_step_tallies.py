"""How a run's steps stand, place by place, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from engine.services.step_tallies import StepTally, tallies_of
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders

LOOP, BODY, LAST = "root.steps[0]", "root.steps[0].body.steps[0]", "root.steps[1]"


def tallies(store: Store, run: WorkflowRun) -> dict[str, StepTally]:
    with store.reading() as session:
        return tallies_of(session, run.run_id)


def test_a_run_without_steps_has_none(store: Store, run: WorkflowRun) -> None:
    assert tallies(store, run) == {}


def test_occurrences_are_told_from_attempts(store: Store, run: WorkflowRun) -> None:
    error = {"category": "TransientError", "message": "once more"}
    builders.save(
        store,
        builders.step(run, "STARTED", path=LOOP, kind="control.forEach"),
        builders.step(run, "RETRY_SCHEDULED", path=BODY, iter=(0,), error_json=error),
        builders.step(run, "SUCCEEDED", path=BODY, iter=(0,), attempt=2),
        builders.step(
            run, "FAILED", path=BODY, iter=(1,), handled=True, error_json={"message": "x"}
        ),
        builders.step(run, "FAILED", path=BODY, iter=(2,)),
        builders.step(run, "CANCELED", path=BODY, iter=(3,)),
        builders.step(run, "STARTED", path=BODY, iter=(4,)),
        builders.step(run, "RETRY_SCHEDULED", path=BODY, iter=(5,), attempt=3),
        builders.step(run, "SUCCEEDED", path=BODY, iter=(6,), superseded=True),
    )
    found = tallies(store, run)
    assert found.keys() == {LOOP, BODY}
    body = found[BODY]
    counts = (body.started, body.retrying, body.succeeded, body.failed, body.canceled)
    assert (body.occurrences, counts) == (6, (1, 1, 1, 2, 1))
    assert (body.handled, body.attempts) == (1, 3)
    assert body.newest == f"{BODY}#5"
    assert body.error == {"message": "x"}
    assert body.status == "STARTED"


def test_what_goes_on_counts_before_what_has_ended(store: Store, run: WorkflowRun) -> None:
    builders.save(
        store,
        builders.step(run, "SUCCEEDED", path=LAST, iter=(0,)),
        builders.step(run, "FAILED", path=LAST, iter=(1,)),
        builders.step(run, "STARTED", path=LOOP),
        builders.wait(run, step_path=LOOP),
    )
    found = tallies(store, run)
    assert {path: tally.status for path, tally in found.items()} == {
        LAST: "FAILED", LOOP: "WAITING",
    }  # fmt: skip


def test_rows_from_before_the_cut_over_are_counted(store: Store, run: WorkflowRun) -> None:
    old: dict[str, Any] = {"occurrence": None, "iter": None, "position": None, "epoch": 0}
    builders.save(store, builders.step(run, path=LAST, **old), builders.step(run, path=LAST, **old))
    tally = tallies(store, run)[LAST]
    assert (tally.occurrences, tally.newest, tally.status) == (2, None, "SUCCEEDED")


def test_the_number_of_statements_does_not_grow(store: Store, run: WorkflowRun) -> None:
    rows = [
        builders.step(run, "FAILED", path=path, iter=(number,), error_json={"message": "x"})
        for path in (LOOP, BODY, LAST)
        for number in range(30)
    ]
    builders.save(store, *rows)
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    tallies(store, run)
    assert len([text for text in statements if text.startswith("SELECT")]) == 3
