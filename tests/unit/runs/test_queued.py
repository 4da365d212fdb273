"""When the banner appears, and which verdict the evidence proves (docs/rules.md 11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.runs.queued import Evidence, Verdict, is_queued, verdict
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


LIVE = Evidence(at=START, engine_reachable=True, engine_knows_run=True, worker_seen_at=START)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (replace(LIVE, engine_reachable=False), Verdict.ENGINE_UNREACHABLE),
        (replace(LIVE, engine_knows_run=False), Verdict.NOT_SENT),
        (replace(LIVE, worker_seen_at=None), Verdict.NO_WORKER),
        (replace(LIVE, worker_seen_at=START - timedelta(seconds=21)), Verdict.NO_WORKER),
        (replace(LIVE, registry_differs=True), Verdict.WRONG_REGISTRY),
        (replace(LIVE, task_attempt=2), Verdict.TASK_FAILING),
        (replace(LIVE, task_failure="boom"), Verdict.TASK_FAILING),
        (replace(LIVE, rate_limited=True), Verdict.RATE_LIMITED),
        (replace(LIVE, claimed=True), Verdict.PROJECTION_LAG),
        (LIVE, Verdict.AT_CAPACITY),
        (replace(LIVE, engine_knows_run=None), Verdict.UNKNOWN),
    ],
)
def test_a_verdict_names_only_what_was_checked(evidence: Evidence, expected: Verdict) -> None:
    assert verdict(evidence) is expected
