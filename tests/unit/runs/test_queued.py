"""When the banner appears, and which verdict the evidence proves (docs/rules.md 11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.runs.queued import (
    Evidence,
    Held,
    Place,
    Queue,
    Verdict,
    Workers,
    hindrance,
    is_queued,
    verdict,
)
from engine.runs.status import RunStatus

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("age", "queued"), [(0, False), (59, False), (60, False), (61, True)])
def test_a_run_without_steps_is_queued_after_60_seconds(age: int, queued: bool) -> None:
    assert is_queued(RunStatus.RUNNING, 0, START, START + timedelta(seconds=age)) is queued


@pytest.mark.parametrize("status", [s for s in RunStatus if s is not RunStatus.RUNNING])
def test_no_other_status_is_ever_queued(status: RunStatus) -> None:
    assert not is_queued(status, 0, START, START + timedelta(hours=1))


def test_a_run_with_a_step_is_not_queued() -> None:
    assert not is_queued(RunStatus.RUNNING, 1, START, START + timedelta(hours=1))


ONE = Workers(living=1, seen_at=START, slots=20)
GONE = Workers(seen_at=START - timedelta(seconds=21))
POLLED = Queue("default", polled_at=START)
LIVE = Evidence(
    at=START,
    engine_answers=True,
    engine_knows_run=True,
    place=Place(since=START),
    workers=ONE,
    queue=POLLED,
)
"""A worker lives and polls, and has not taken the run."""
AT_WORKER = Place(Held.AT_WORKER)
ASLEEP = Place(Held.NOWHERE)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (replace(LIVE, engine_answers=False), Verdict.ENGINE_UNREACHABLE),
        (replace(LIVE, engine_answers=False, workers=GONE), Verdict.ENGINE_UNREACHABLE),
        (replace(LIVE, engine_knows_run=False, place=None), Verdict.NOT_SENT),
        (replace(LIVE, engine_knows_run=False, place=None, workers=GONE), Verdict.NOT_SENT),
        # Temporal has lost what a worker had begun: nothing was "not sent".
        (replace(LIVE, engine_knows_run=False, place=None, claimed=True), Verdict.UNKNOWN),
        (replace(LIVE, workers=Workers()), Verdict.NO_WORKER),
        (replace(LIVE, workers=GONE), Verdict.NO_WORKER),
        # A worker that had begun it and was killed: that is no lag.
        (replace(LIVE, workers=GONE, claimed=True, place=AT_WORKER), Verdict.NO_WORKER),
        # Workers report here, and poll elsewhere.
        (replace(LIVE, queue=Queue("default", None)), Verdict.NO_WORKER),
        (replace(LIVE, queue=Queue("default", START - timedelta(seconds=76))), Verdict.NO_WORKER),
        (
            replace(LIVE, queue=Queue("default", None), workers=replace(ONE, just_came=True)),
            Verdict.AT_CAPACITY,
        ),
        (replace(LIVE, workers=replace(ONE, registry_differs=True)), Verdict.WRONG_REGISTRY),
        (replace(LIVE, place=Place(attempt=2)), Verdict.TASK_FAILING),
        (replace(LIVE, place=Place(failure="boom")), Verdict.TASK_FAILING),
        (replace(LIVE, place=Place(attempt=2), workers=GONE), Verdict.TASK_FAILING),
        (replace(LIVE, queue=replace(POLLED, rate_limited=True)), Verdict.RATE_LIMITED),
        (replace(LIVE, claimed=True, place=ASLEEP), Verdict.PROJECTION_LAG),
        (replace(LIVE, place=AT_WORKER), Verdict.PROJECTION_LAG),
        (replace(LIVE, place=Place(Held.NOWHERE, ended=True)), Verdict.PROJECTION_LAG),
        (LIVE, Verdict.AT_CAPACITY),
        (replace(LIVE, claimed=True), Verdict.AT_CAPACITY),
        # All slots in use: it may poll no more.
        (
            replace(LIVE, queue=Queue("default", None), workers=replace(ONE, slots_used=20)),
            Verdict.AT_CAPACITY,
        ),
        (replace(LIVE, engine_knows_run=None, place=None), Verdict.UNKNOWN),
    ],
)
def test_a_verdict_names_only_what_was_checked(evidence: Evidence, expected: Verdict) -> None:
    assert verdict(evidence) is expected


LONG_AGO = START - timedelta(seconds=61)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (LIVE, None),
        (replace(LIVE, place=ASLEEP, workers=GONE), None),
        (replace(LIVE, place=AT_WORKER), None),
        (replace(LIVE, engine_knows_run=False, place=None), None),
        (replace(LIVE, engine_answers=False, place=None), None),
        (replace(LIVE, place=Place(Held.NOWHERE, LONG_AGO, ended=True)), None),
        (replace(LIVE, place=Place(since=START - timedelta(seconds=60)), workers=GONE), None),
        (replace(LIVE, place=Place(since=LONG_AGO), workers=GONE), Verdict.NO_WORKER),
        (replace(LIVE, place=Place(since=LONG_AGO)), Verdict.AT_CAPACITY),
        (replace(LIVE, place=Place(Held.AT_WORKER, attempt=2)), Verdict.TASK_FAILING),
    ],
)
def test_of_a_run_that_has_begun_only_what_temporal_shows_is_a_hindrance(
    evidence: Evidence, expected: Verdict | None
) -> None:
    assert hindrance(evidence) is expected
