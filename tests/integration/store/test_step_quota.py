"""The step quota in the store: what is counted, once, and what a new period begins with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.contract_waits import AdmitStep
from engine.errors import Conflict, Invalid, NotFound, Unavailable
from engine.services.context import Services
from engine.services.release_quota import release_paused, release_quota
from engine.services.step_quota import set_quota, show_quota
from engine.services.take_quota import USAGE, QuotaLimit
from engine.services.track_wait import admit_step, open_wait
from engine.store.session import Store
from engine.store.tables import WorkflowRun, WorkflowRunStep
from tests import builders
from tests.attempts import STARTED_AT, batch
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.integration.store.recorded import a_wait, rows
from tests.run_cases import SOMEBODY, a_run


@pytest.fixture
def run(store: Store, engine: FakeEngine) -> WorkflowRun:
    return a_run(store, engine)


def a_step(run: WorkflowRun, number: int = 0) -> AdmitStep:
    return AdmitStep(
        run_id=run.run_id,
        batch=batch(run),
        position=number + 1,
        step_id="ask",
        path=f"root.steps[{number}]",
        iter=[],
        attempt=1,
        kind="human.task",
        started_at=STARTED_AT,
    )


def at(services: Services, moment: datetime) -> Services:
    return replace(services, now=lambda: moment)


def test_an_attempt_is_counted_once_and_refused_without_a_row(
    services: Services, store: Store, run: WorkflowRun
) -> None:
    """A workflow task that is lost asks again; a step that is refused has not begun."""
    set_quota(services, 1, SOMEBODY)
    for _ in range(2):
        assert admit_step(services, QuotaLimit(), a_step(run)).quota is None
    denied = admit_step(services, QuotaLimit(), a_step(run, 1)).quota

    assert show_quota(services).used == 1
    assert denied == {
        "periodStart": datetime(2026, 11, 1, tzinfo=UTC).isoformat(),
        "periodEnd": datetime(2026, 12, 1, tzinfo=UTC).isoformat(),
        "usedCount": 1,
        "limit": 1,
    }
    pause = a_wait(run, path="root.steps[1]", wait_type="quota", kind="human.task")
    open_wait(services, QuotaLimit(), pause)
    assert [step.step_path for step in rows(store, WorkflowRunStep)] == ["root.steps[0]"]
    assert admit_step(services, QuotaLimit(), a_step(run, 1)).quota is not None


def test_a_new_period_begins_with_the_limit_that_was_set(
    services: Services, run: WorkflowRun
) -> None:
    set_quota(services, 1, SOMEBODY)
    admit_step(services, QuotaLimit(), a_step(run))
    december = at(services, datetime(2026, 12, 1, tzinfo=UTC))
    assert (show_quota(december).limit, show_quota(december).used) == (1, 0)
    assert admit_step(december, QuotaLimit(), a_step(run, 1)).quota is None
    assert admit_step(december, QuotaLimit(), a_step(run, 2)).quota is not None
    january = at(services, datetime(2027, 1, 15, tzinfo=UTC))
    set_quota(january, None, SOMEBODY)
    assert not QuotaLimit().applies(january)
    assert show_quota(january).period_end == datetime(2027, 2, 1, tzinfo=UTC)


def test_nothing_is_counted_where_no_limit_was_ever_set(
    services: Services, store: Store, run: WorkflowRun
) -> None:
    assert not QuotaLimit().applies(services)
    assert admit_step(services, QuotaLimit(), a_step(run)).quota is None
    with store.reading() as session:
        assert session.execute(select(USAGE)).all() == []


def test_workers_let_go_as_many_as_there_is_quota_for(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    set_quota(services, 2, SOMEBODY)
    runs = [a_run(store, engine) for _ in range(3)]
    for number, run in enumerate(runs):
        later = at(services, NOW + timedelta(seconds=number))
        wait = a_wait(run, wait_id=builders.new_id(), wait_type="quota")
        open_wait(later, QuotaLimit(), wait)
    engine.down = True
    assert release_paused(services) == 0
    with pytest.raises(Unavailable):
        release_quota(services, runs[0].run_id, SOMEBODY)
    engine.down = False

    assert release_paused(services) == 2
    assert [signal.workflow_id for signal in engine.signals] == [
        run.temporal_workflow_id for run in runs[:2]
    ]


def test_what_cannot_be_released_or_set_is_refused(services: Services, run: WorkflowRun) -> None:
    for limit in (0, -1, 2**40):
        with pytest.raises(Invalid):
            set_quota(services, limit, SOMEBODY)
    with pytest.raises(NotFound):
        release_quota(services, builders.new_id(), SOMEBODY)
    with pytest.raises(NotFound):
        release_quota(services, "nonsense", SOMEBODY)
    with pytest.raises(Conflict):
        release_quota(services, run.run_id, SOMEBODY)
