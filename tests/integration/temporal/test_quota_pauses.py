"""Runs pause where the step quota is used up, and go on when there is some (docs/authoring.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from engine.actions.secrets import Secrets
from engine.errors import Conflict
from engine.services.action_attempt import ActionTools
from engine.services.cancel_run import cancel_run
from engine.services.release_quota import release_quota
from engine.services.step_quota import set_quota, show_quota
from engine.services.take_quota import USAGE
from engine.services.tend_waits import tend_waits
from engine.store.tables import Lease
from tests import work_actions
from tests.run_cases import SOMEBODY
from tests.steps import act, assign, chain, wait
from tests.studio import Studio
from tests.waiting import event_wait, human_task, name, open_wait_of, open_waits, send

pytestmark = pytest.mark.temporal


@pytest.fixture
def counted(own_studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """With a worker that asks for the limit each time."""
    monkeypatch.setattr("engine.services.take_quota._KNOWN_FOR_S", 0.0)
    own_studio.tools = ActionTools(work_actions.registry(), Secrets({}))
    with own_studio.worker():
        yield own_studio


def used(studio: Studio) -> int:
    return show_quota(studio.services).used


def test_a_run_pauses_before_its_step_has_begun_and_goes_on_when_released(counted: Studio) -> None:
    """Original 3.11, case 4, and missing from its bar: quota resume, then completion.

    Paused it has no row of the step and no effect. Released while there is none, it pauses again.
    """
    set_quota(counted.services, 2, SOMEBODY)
    run_id = counted.start(counted.publish(*chain(3, "once"), assign("end", done="true")))
    first = open_wait_of(counted, run_id)
    run = counted.run(run_id)
    (row,) = counted.waits(run_id)

    assert (run.status, run.node_path) == ("WAITING", "root.steps[2]")
    assert row.wait_type == "quota"
    assert row.payload["reason"] == "workflow_step_quota_exceeded"
    assert (row.payload["usedCount"], row.payload["limit"]) == (2, 2)
    assert row.timeout_at == show_quota(counted.services).period_end
    assert [step for step, _, _ in counted.outline(run_id)] == ["step-0", "step-1"]
    assert counted.effects() == ["begin step-0", "end step-0", "begin step-1", "end step-1"]

    release_quota(counted.services, run_id, SOMEBODY)
    counted.eventually(lambda: len(counted.waits(run_id)) == 2)
    second = open_wait_of(counted, run_id)
    assert second != first
    set_quota(counted.services, 3, SOMEBODY)
    release_quota(counted.services, second, SOMEBODY)
    run = counted.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert counted.effects()[-1] == "end step-2"
    assert {row.status for row in counted.waits(run_id)} == {"RESOLVED"}
    assert used(counted) == 3
    with pytest.raises(Conflict):
        release_quota(counted.services, run_id, SOMEBODY)


def test_wait_and_task_steps_are_counted_too_and_each_once(counted: Studio) -> None:
    set_quota(counted.services, 4, SOMEBODY)
    event = name()
    run_id = counted.start(
        counted.publish(
            wait("pause", 10),
            assign("free", x="1"),
            event_wait("event", event),
            act("quick", "quick"),
            event_wait("again", event, timeoutMs=60_000),
            human_task("never"),
        )
    )
    counted.eventually(lambda: len(counted.waits(run_id)) == 2)
    send(counted, event)
    send(counted, event)
    counted.eventually(lambda: len(counted.waits(run_id)) == 4)
    (paused,) = [row for row in counted.waits(run_id) if row.status == "WAITING"]

    assert (paused.wait_type, paused.step_path) == ("quota", "root.steps[5]")
    assert used(counted) == 4
    assert [step for step, _, _ in counted.outline(run_id)][-1] == "again"
    set_quota(counted.services, None, SOMEBODY)
    release_quota(counted.services, run_id, SOMEBODY)
    counted.eventually(lambda: counted.waits(run_id)[-1] and len(counted.waits(run_id)) == 5)
    assert counted.run(run_id).status == "WAITING"
    cancel_run(counted.services, run_id, SOMEBODY, None)
    assert counted.ended(run_id).status == "CANCELED"


def test_a_raised_limit_lets_go_as_many_as_there_is_quota_for(counted: Studio) -> None:
    """The workers' scan: those that have paused longest first, bounded by what remains."""
    set_quota(counted.services, 1, SOMEBODY)
    assert counted.execute(act("first")).status == "SUCCEEDED"
    of = counted.publish(act("one"))
    runs = []
    for _ in range(3):
        runs.append(counted.start(of))
        open_wait_of(counted, runs[-1])
    tend_waits(counted.services, "nothing to give")
    assert all(open_waits(counted, run_id) for run_id in runs)
    set_quota(counted.services, 3, SOMEBODY)
    forget_pass(counted)
    done = tend_waits(counted.services, "test")

    assert done is not None
    assert done["released"] == 2
    assert [counted.ended(run_id).status for run_id in runs[:2]] == ["SUCCEEDED"] * 2
    assert counted.run(runs[2]).status == "WAITING"
    assert used(counted) == 3
    cancel_run(counted.services, runs[2], SOMEBODY, None)
    assert counted.ended(runs[2]).status == "CANCELED"


def test_a_period_that_turns_ends_the_pause_and_keeps_the_limit(counted: Studio) -> None:
    """By the workflow's own timer, and by the scan: the next period begins with what was set."""
    set_quota(counted.services, 1, SOMEBODY)
    assert counted.execute(act("first")).status == "SUCCEEDED"
    end_period(counted, in_s=2)
    by_timer = counted.start(counted.publish(act("one")))
    open_wait_of(counted, by_timer)

    assert counted.ended(by_timer).status == "SUCCEEDED"
    shown = show_quota(counted.services)
    assert (shown.limit, shown.used) == (1, 1)
    by_scan = counted.start(counted.publish(act("one")))
    open_wait_of(counted, by_scan)
    end_period(counted, in_s=-1)
    forget_pass(counted)
    done = tend_waits(counted.services, "test")

    assert done is not None
    assert done["released"] == 1
    assert counted.ended(by_scan).status == "SUCCEEDED"


def test_a_cancel_ends_a_quota_pause(counted: Studio) -> None:
    """Missing from the original's bar: cancellation during a quota pause. The step has no row."""
    set_quota(counted.services, 1, SOMEBODY)
    assert counted.execute(act("first")).status == "SUCCEEDED"
    of = counted.publish(human_task("ask"))
    by_us, by_temporal = counted.start(of), counted.start(of)
    for run_id in (by_us, by_temporal):
        open_wait_of(counted, run_id)
    cancel_run(counted.services, by_us, SOMEBODY, None)
    counted.cancel(by_temporal, row=False)

    for run_id in (by_us, by_temporal):
        assert counted.ended(run_id).status == "CANCELED"
        assert [row.status for row in counted.waits(run_id)] == ["CANCELED"]
        assert {status for _, _, status in counted.outline(run_id)} <= {"CANCELED"}
    assert used(counted) == 1


def end_period(studio: Studio, *, in_s: float) -> None:
    """There is one period, that ends then; the calendar's begins after it."""
    now = studio.services.now()
    with studio.store.writing() as session:
        rows = session.execute(USAGE.select().order_by(USAGE.c.period_start.desc())).all()
        for row in rows[1:]:
            session.execute(delete(USAGE).where(USAGE.c.period_start == row.period_start))
        session.execute(
            update(USAGE).values(
                period_start=now - timedelta(days=40), period_end=now + timedelta(seconds=in_s)
            )
        )


def forget_pass(studio: Studio) -> None:
    """The scan's lease lets nobody pass again at once."""
    with studio.store.writing() as session:
        session.execute(delete(Lease))
