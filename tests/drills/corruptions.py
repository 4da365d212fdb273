"""One thing in the rows that is not so, in each way in which it may be not so.

Each: its name, the document whose run is corrupted, how, and what the checker must say.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

from tests.drills.evidence import Evidence, Row

Corrupt = Callable[[Evidence], object]

OTHER: Final = "01234567-89ab-4cde-8f01-23456789abcd"


def step(found: Evidence, name: str = "", **where: Any) -> Row:
    wanted = {"definition_step_id": name, **where} if name else where
    return next(row for row in found.steps if wanted.items() <= vars(row).items())


def set_on(rows: str, **values: Any) -> Corrupt:
    """The last of those rows says something else."""

    def corrupt(found: Evidence) -> None:
        there = getattr(found, rows)
        vars(there if isinstance(there, SimpleNamespace) else there[-1]).update(values)

    return corrupt


def moved(rows: str, column: str) -> Corrupt:
    def corrupt(found: Evidence) -> None:
        there = getattr(found, rows)
        row = there if isinstance(there, SimpleNamespace) else there[-1]
        setattr(row, column, getattr(row, column) + timedelta(seconds=90))

    return corrupt


def without(rows: str) -> Corrupt:
    return lambda found: getattr(found, rows).pop()


def doubled(rows: str, **values: Any) -> Corrupt:
    def corrupt(found: Evidence) -> None:
        row = deepcopy(getattr(found, rows)[-1])
        vars(row).update(values)
        getattr(found, rows).append(row)

    return corrupt


CORRUPTIONS: Final[list[tuple[str, str, Corrupt, str]]] = [
    # The run's row.
    ("another status", "loop", set_on("run", status="CANCELED"), "CANCELED here, SUCCEEDED in"),
    ("never ended", "loop", set_on("run", status="RUNNING"), "RUNNING here, COMPLETED in"),
    ("failed here alone", "canceled", set_on("run", status="FAILED"), "FAILED here, CANCELED in"),
    ("an error", "loop", set_on("run", error_json={"code": "STOPPED"}), "its error is"),
    (
        "another error code",
        "called-and-fails",
        set_on("run", error_json={"category": "TransientError", "code": "OTHER"}),
        "its error is",
    ),
    ("no end", "loop", set_on("run", completed_at=None), "ended at no time"),
    ("another end", "loop", moved("run", "completed_at"), "it ended at"),
    ("claimed by another", "loop", set_on("run", claimed_by=OTHER), "claimed by"),
    ("not claimed", "loop", set_on("run", claimed_by=None), "claimed by None"),
    ("claimed at no time", "loop", set_on("run", claimed_at=None), "claimed at no time"),
    ("another execution", "loop", set_on("run", temporal_run_id=OTHER), "its execution is"),
    ("another workflow", "loop", set_on("run", temporal_workflow_id="run-1"), "workflow id"),
    ("still somewhere", "loop", set_on("run", node_path="root.steps[0]"), "stands at"),
    # Steps.
    ("a step is gone", "loop", without("steps"), "no row of"),
    ("a step too many", "loop", doubled("steps", occurrence="root.x"), "knows nothing of it"),
    ("an attempt too many", "loop", doubled("steps", attempt=2), "knows nothing of it"),
    ("one attempt twice", "loop", doubled("steps"), "two rows of one attempt"),
    ("a step's status", "loop", set_on("steps", status="FAILED"), "is FAILED, in Temporal"),
    ("a step is open", "loop", set_on("steps", status="STARTED"), "is STARTED in a run that"),
    ("a retry is open", "loop", set_on("steps", status="RETRY_SCHEDULED"), "RETRY_SCHEDULED in a"),
    ("superseded", "loop", set_on("steps", superseded=True), "is superseded, and the history"),
    ("a step's output", "loop", set_on("steps", output_json={"value": 9}), "another output"),
    ("a step's input", "loop", set_on("steps", input_json={"key": "x"}), "another input"),
    ("a step's error", "loop", set_on("steps", error_json={"code": "X"}), "has the error"),
    ("a step's place", "loop", set_on("steps", position=99), "another position: 99"),
    ("a step's beginning", "loop", moved("steps", "started_at"), "another beginning"),
    (
        "a step's end",
        "by-event",
        lambda found: setattr(step(found, "go"), "completed_at", found.run.started_at),
        "another end",
    ),
    ("a step without end", "loop", set_on("steps", completed_at=None), "ended at no time"),
    (
        "not handled",
        "tried-again",
        lambda found: setattr(step(found, "hopeless", status="FAILED"), "handled", False),
        "another handling",
    ),
    (
        "an error that is gone",
        "tried-again",
        lambda found: setattr(step(found, "hopeless", status="FAILED"), "error_json", None),
        "has the error None",
    ),
    (
        "a retry that succeeded",
        "tried-again",
        lambda found: setattr(step(found, "flaky", attempt=1), "status", "SUCCEEDED"),
        "is SUCCEEDED, in Temporal RETRY_SCHEDULED",
    ),
    ("a stored value is gone", "large", lambda found: found.values.clear(), "is gone"),
    (
        "another stored value",
        "large",
        lambda found: found.values.update({name: {"text": ""} for name in found.values}),
        "is another one",
    ),
    # Waits, tasks, deliveries.
    ("a wait is gone", "waiting", without("waits"), "no row of the time wait"),
    ("a wait too many", "waiting", doubled("waits", wait_id=OTHER), "knows nothing of it"),
    ("an open wait", "waiting", set_on("waits", status="WAITING"), "is open in a run that"),
    (
        "a wait's outcome",
        "waiting",
        set_on("waits", status="CANCELED"),
        "another outcome: CANCELED",
    ),
    ("a wait's end", "waiting", moved("waits", "resolved_at"), "another end"),
    ("a wait's time-out", "waiting", moved("waits", "timeout_at"), "another time-out"),
    ("a wait's kind", "waiting", set_on("waits", wait_type="human"), "another kind: human"),
    (
        "another event",
        "by-event",
        lambda found: [vars(row).update(payload={"matchedEventId": OTHER}) for row in found.waits],
        f"another event: {OTHER}",
    ),
    ("a task is gone", "by-hand", without("tasks"), "no row of the task"),
    ("a task is open", "by-hand", set_on("tasks", status="OPEN"), "is OPEN, in Temporal"),
    ("another answer", "by-hand", set_on("tasks", answer_json={"ok": False}), "another answer"),
    ("another form", "by-hand", set_on("tasks", answer_token="b"), "of another form"),
    ("a task too many", "by-hand", doubled("tasks", task_id=OTHER), "knows nothing of it"),
    ("a delivery is gone", "by-event", without("deliveries"), "its delivery does not say so"),
    ("never told", "by-event", set_on("deliveries", status="PENDING"), "is PENDING in a run"),
    (
        "observed by nobody",
        "by-event",
        doubled("deliveries", event_id=OTHER),
        "has ended no wait",
    ),
    # Children.
    ("a child is gone", "calls", without("children"), "of which there is no row"),
    ("a child too many", "calls", doubled("children", run_id=OTHER), "it has called none such"),
    ("a child's status", "calls", set_on("children", status="FAILED"), "in its history SUCCEEDED"),
    ("another root", "calls", set_on("children", root_run_id=OTHER), "has the root"),
    # The ledger, the counter.
    ("a call is open", "send-once", set_on("calls", status="STARTED"), "is STARTED in a run"),
    ("a call failed", "send-once", set_on("calls", status="FAILED"), "ledger does not say so"),
    ("a call is gone", "quick-chain", without("calls"), "ledger does not"),
    ("a call twice", "send-once", doubled("calls", idempotency_key="x"), "is doubled"),
    ("another result", "large", set_on("calls", output_json=1), "another output than the ledger"),
    ("counted twice", "loop", lambda found: setattr(found, "counted", 9), "not exact"),
]
