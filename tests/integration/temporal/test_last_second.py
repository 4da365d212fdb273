"""A cancel, and a signal, at every 50 ms of a run's last second: row and Temporal always agree.

The end is where they can part: a cancel that comes when the final row is written, a signal that
makes Temporal refuse the closing command (docs/rules.md 4).
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from temporalio.service import RPCError, RPCStatusCode

from engine.errors import Unavailable
from engine.store.tables import WorkflowDefinition
from tests.steps import Step, act, chain, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal

AT_ONCE = 12
EVERY_S = 0.05
AFTER_S = 0.4
"""Beyond the end: with others beside it a run takes a little longer than alone."""
BUSY_S = 5
"""So much longer on a machine that does other things too: the end is looked for until it is met."""

AGREED = {("SUCCEEDED", "COMPLETED"), ("CANCELED", "CANCELED")}

Disturb = Callable[[Studio, str], None]


_turns = itertools.count()


def cancel(studio: Studio, run_id: str) -> None:
    """As the service does it, and every other time as Temporal's own tools do."""
    studio.cancel(run_id, row=next(_turns) % 2 == 0)


def signal(studio: Studio, run_id: str) -> None:
    """A run that has ended takes none, which is no fault."""
    try:
        studio.signal(run_id, "unheard-of")
    except Unavailable as error:
        cause = error.__cause__
        if not isinstance(cause, RPCError) or cause.status is not RPCStatusCode.NOT_FOUND:
            raise


SHAPES: dict[str, list[Step]] = {
    "local": chain(10, ms=100),
    "regular": [act("work", ms=1_000)],
    "mixed": [*chain(4, ms=75), act("work", ms=300), wait("sleep", 300), act("last", "quick")],
}


@dataclass(frozen=True)
class Ended:
    offset_s: float
    run_id: str
    row: str
    temporal: str
    steps: frozenset[str]


def claimed(studio: Studio, of: WorkflowDefinition) -> str:
    run_id = studio.start(of)
    studio.eventually(lambda: studio.run(run_id).claimed_at is not None, every_s=0.01)
    return run_id


def alone_s(studio: Studio, of: WorkflowDefinition) -> float:
    """How long a run takes from its claim, undisturbed."""
    run = studio.ended(claimed(studio, of))
    assert run.completed_at is not None
    assert run.claimed_at is not None
    return (run.completed_at - run.claimed_at).total_seconds()


def disturbed(studio: Studio, shape: str, disturb: Disturb) -> list[Ended]:
    """One run for every 50 ms of the last second, each disturbed once, a few at a time."""
    of = studio.publish(*SHAPES[shape])
    whole = alone_s(studio, of)
    studio.effects_file.unlink(missing_ok=True)

    def one(offset_s: float) -> Ended:
        run_id = claimed(studio, of)
        at = studio.run(run_id).claimed_at
        assert at is not None
        time.sleep(max(0.0, offset_s - (studio.services.now() - at).total_seconds()))
        disturb(studio, run_id)
        row = studio.ended(run_id)
        steps = frozenset(step.status for step in studio.steps(run_id))
        return Ended(offset_s, run_id, row.status, studio.temporal_status(run_id), steps)

    count = int((1 + AFTER_S) / EVERY_S)
    offsets = [max(0.0, whole - 1) + EVERY_S * number for number in range(count)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(one, offsets))
        while not any(run.row == "SUCCEEDED" for run in ended) and offsets[-1] < whole + BUSY_S:
            offsets = [offset + 1 for offset in offsets]
            ended += pool.map(one, offsets)
    return ended


@pytest.mark.parametrize("shape", ["local", "regular", "mixed"])
def test_a_cancel(worked: Studio, shape: str) -> None:
    ended = disturbed(worked, shape, cancel)
    assert {(run.row, run.temporal) for run in ended} <= AGREED, ended
    assert {run.row for run in ended} == {"SUCCEEDED", "CANCELED"}, "the end was not met"
    for run in ended:
        allowed = {"SUCCEEDED"} if run.row == "SUCCEEDED" else {"SUCCEEDED", "CANCELED"}
        assert run.steps <= allowed, run
        assert {found.status for found in worked.waits(run.run_id)} <= {"RESOLVED", "CANCELED"}


def test_a_signal_that_nobody_knows_changes_nothing(worked: Studio) -> None:
    ended = disturbed(worked, "mixed", signal)
    assert {(run.row, run.temporal) for run in ended} == {("SUCCEEDED", "COMPLETED")}, ended
    done = Counter(worked.effects())
    assert set(done.values()) == {len(ended)}, done
