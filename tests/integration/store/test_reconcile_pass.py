"""A pass of the reconciler: its lease, and what it forgets (docs/rules.md 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select
from structlog.testing import capture_logs

from engine.contract import temporal_workflow_id
from engine.gateway.executions import ExecutionState
from engine.runs.payload import Payload
from engine.services import reconcile_runs
from engine.services.context import Services
from engine.services.last_pass import last_pass
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.services.reconcile_runs import reconcile
from engine.store.session import Store
from engine.store.tables import LaunchToken, WorkflowRun, WorkflowRunLog
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine, unavailable
from tests.run_cases import SOMEBODY, a_run, row

OLD = NOW - timedelta(seconds=16)


def later(services: Services, seconds: float) -> Services:
    return replace(services, now=lambda: NOW + timedelta(seconds=seconds))


def mended(services: Services) -> dict[str, int]:
    report = reconcile(services, "me")
    assert report is not None
    return dict(report["mended"])


def test_a_pass_that_lost_its_lease_mends_no_more(
    store: Store, engine: FakeEngine, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_run(store, started_at=OLD)
    monkeypatch.setattr(reconcile_runs, "_RENEW_EVERY_S", 0)
    monkeypatch.setattr(reconcile_runs.leases, "renew", lambda *_, **__: False)
    assert mended(services) == {}
    assert engine.asked("start") == []


def test_a_worker_that_was_killed_in_a_pass_delays_the_next_by_two_at_most(
    store: Store, services: Services
) -> None:
    run = a_run(store, started_at=OLD)
    taken = reconcile_runs.leases.take(
        services, "reconciler", "killed", held_for=reconcile_runs.LEASE_FOR, every=timedelta(0)
    )
    assert taken is not None
    assert reconcile(later(services, 15), "me") is None
    assert reconcile(later(services, 31), "me") is not None
    assert row(store, run).temporal_run_id is not None


def test_used_tokens_are_forgotten_after_a_week_and_still_start_nothing_twice(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    builders.published(store, "greet")
    request = LaunchRequest("greet", Payload({}), SOMEBODY, token="old-form")
    first = launch_published_workflow_run(services, request)
    next_week = later(services, 8 * 86_400)
    reconcile(next_week, "me")
    with store.reading() as session:
        assert session.get(LaunchToken, "old-form") is None
    again = launch_published_workflow_run(next_week, request)
    assert (again.run_id, again.already) == (first.run_id, True)


def test_cancels_that_cannot_be_delivered_keep_nothing_else_from_being_mended(
    store: Store, engine: FakeEngine, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: each pass goes on behind the one before."""
    monkeypatch.setattr(reconcile_runs, "MOST_MENDED", 3)
    asked = {"started_at": OLD, "claimed_by": "e", "cancel_requested_at": OLD}
    runs = [a_run(store, engine, **asked) for _ in range(6)]
    broken = {temporal_workflow_id(run.run_id) for run in runs[:4]}

    def breaks(call: str) -> None:
        if call == "cancel" and engine.calls[-1][1] in broken:
            raise ValueError("something nobody thought of")

    engine.before = breaks
    for number in range(2):
        reconcile(later(services, 15 * number), "me")
    assert [row(store, run).cancel_delivered_at is not None for run in runs[4:]] == [True, True]


def test_what_temporal_refuses_of_one_row_does_not_keep_the_others_from_being_mended(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    """As a workflow id that is too long: Temporal answers, and will never answer this."""
    first, second = sorted(
        (a_run(store, started_at=OLD) for _ in range(2)), key=lambda run: run.run_id
    )

    def refuses(call: str) -> None:
        if call == "describe" and engine.calls[-1][1] == temporal_workflow_id(first.run_id):
            raise unavailable()

    engine.before = refuses
    assert mended(services) == {"errors": 1, "started": 1}
    assert row(store, second).temporal_run_id is not None


def test_an_execution_that_cannot_be_stopped_does_not_keep_others_from_it(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    ended = NOW - timedelta(minutes=5)
    first, second = sorted(
        (a_run(store, engine, status="FAILED", started_at=ended) for _ in range(2)),
        key=lambda run: run.run_id,
    )

    def breaks(call: str) -> None:
        if call == "cancel" and engine.calls[-1][1] == temporal_workflow_id(first.run_id):
            raise ValueError("something nobody thought of")

    engine.before = breaks
    assert mended(services) == {"errors": 1, "surplus_canceled": 1}
    assert mended(later(services, 60)) == {"surplus_terminated": 2}
    assert engine.asked("cancel").count(temporal_workflow_id(second.run_id)) == 1


def test_an_execution_of_a_run_from_before_the_cut_over_that_has_no_time_is_stopped_too(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(
        store,
        status="CANCELED",
        started_at=NOW - timedelta(days=9),
        epoch=0,
        temporal_workflow_id="old:7",
    )
    with store.writing() as session:
        session.get_one(WorkflowRun, run.run_id).completed_at = None
    engine.put("old:7")
    assert mended(services) == {"surplus_canceled": 1}


@pytest.mark.parametrize("stored", [None, "something-else"])
def test_a_row_with_another_workflow_id_is_started_once_and_then_known_by_its_own(
    store: Store, engine: FakeEngine, services: Services, stored: str | None
) -> None:
    """Else the pass after it would take the run for lost, while it is executed."""
    run = a_run(store, started_at=OLD, temporal_workflow_id=stored)
    assert mended(services) == {"started": 1}
    with store.writing() as session:
        session.get_one(WorkflowRun, run.run_id).claimed_by = "e"
    assert mended(later(services, 15)) == {}
    assert row(store, run).temporal_workflow_id == temporal_workflow_id(run.run_id)


def test_thousands_of_runs_that_agree_cost_one_reading_and_one_listing(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    definition, _ = builders.published(store)
    runs = [builders.run(definition, started_at=OLD, claimed_by="e") for _ in range(2_500)]
    with store.writing() as session:
        session.add_all(runs)
    for run in runs:
        engine.put(temporal_workflow_id(run.run_id))
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert mended(services) == {}
    assert engine.calls == [("list", "")]
    assert len([one for one in statements if "workflow_runs" in one]) == 1
    assert len(statements) < 20


def test_everything_that_is_lost_is_gone_within_one_pass(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    definition, _ = builders.published(store)
    runs = [builders.run(definition, started_at=OLD, claimed_by="e") for _ in range(250)]
    with store.writing() as session:
        session.add_all(runs)
    assert mended(services) == {"FAILED": 250}


def test_what_a_pass_mends_is_said_in_a_log_line_and_in_the_runs_log(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    """Each way of mending there is."""
    long_ago = NOW - timedelta(minutes=5)
    runs = {
        "started": a_run(store, started_at=OLD),
        "FAILED": a_run(store, started_at=OLD, claimed_by="e"),
        "CANCELED": a_run(store, started_at=OLD, cancel_requested_at=OLD, cancel_delivered_at=OLD),
        "cancel_requested": a_run(
            store, engine, started_at=OLD, claimed_by="e", cancel_requested_at=OLD
        ),
        "cancel_closed": a_run(store, started_at=OLD, cancel_requested_at=OLD),
        "surplus_canceled": a_run(store, engine, status="FAILED", started_at=long_ago),
    }
    succeeded = a_run(store, started_at=OLD, claimed_by="e")
    engine.put(temporal_workflow_id(succeeded.run_id), ExecutionState.COMPLETED, "SUCCEEDED")
    runs["SUCCEEDED"] = succeeded
    with capture_logs() as logs:
        assert mended(services) == dict.fromkeys(runs, 1)
    said = {line["run_id"]: line["what"] for line in logs if line["event"] == "reconciler.mended"}
    assert said == {run.run_id: what for what, run in runs.items()}
    for run in runs.values():
        with store.reading() as session:
            lines = session.scalars(
                select(WorkflowRunLog).where(
                    WorkflowRunLog.run_id == run.run_id, WorkflowRunLog.source == "reconciler"
                )
            ).all()
        assert len(lines) == 1


def test_a_child_that_goes_with_its_lost_parent_before_it_began_has_a_line_too(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    parent = a_run(store, started_at=OLD, claimed_by="e")
    child = a_run(store, started_at=OLD, parent_run_id=parent.run_id)
    assert mended(services) == {"FAILED": 1}
    assert row(store, child).status == "CANCELED"
    with store.reading() as session:
        lines = session.scalars(
            select(WorkflowRunLog).where(WorkflowRunLog.run_id == child.run_id)
        ).all()
    assert [(line.source, line.level) for line in lines] == [("reconciler", "WARN")]
    assert "the run that called it has ended" in lines[0].message


def test_a_pass_says_who_made_it_and_how_long_it_took(store: Store, services: Services) -> None:
    report = reconcile(services, "worker-7")
    assert report is not None
    assert report["by"] == "worker-7"
    assert isinstance(report["tookMs"], int)


def test_a_worker_that_leaves_lets_go_between_two_runs_and_another_goes_on_at_once(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    for _ in range(3):
        a_run(store, started_at=OLD)
    report = reconcile(services, "leaves", lambda: len(engine.asked("start")) == 1)
    assert report is not None
    assert (report["mended"], report["cutShort"]) == ({"started": 1}, True)
    again = reconcile(later(services, 15), "another")
    assert again is not None
    assert again["mended"] == {"started": 2}


def test_a_pass_that_fails_says_so_and_lets_go(
    store: Store, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("nobody thought of this")

    with monkeypatch.context() as broken:
        broken.setattr(reconcile_runs, "open_runs", breaks)
        with pytest.raises(RuntimeError):
            reconcile(services, "me")
    with store.reading() as session:
        last = last_pass(session)
    assert last is not None
    assert not last.compared
    assert "RuntimeError" in (last.cause or "")
    assert reconcile(later(services, 15), "another") is not None
