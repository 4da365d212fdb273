"""Time triggers start runs: each time one, whoever fires it (docs/authoring.md, Triggers)."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from engine.contract import temporal_workflow_id
from engine.definitions.payload_schema import BUILT_IN_SCHEMAS, CLOCK_SCHEMA, validate_payload
from engine.services.context import Services
from engine.services.find_definitions import find_definition
from engine.services.fire_schedules import due_schedules, fire_schedule
from engine.services.launch_run import Launched, accept
from engine.services.pause_definition import pause_definition, unpause_definition
from engine.services.payload_schemas import all_schemas
from engine.services.start_by_schedule import start_scheduled
from engine.store.session import Store
from engine.store.tables import (
    Lease,
    WorkflowRun,
    WorkflowSchedule,
)
from tests.engine_fake import FakeEngine
from tests.integration.store.recorded import rows
from tests.integration.store.scheduled import (
    AT_TEN,
    EVERY_HOUR,
    at,
    change,
    fire,
    once,
    publish,
    schedule,
)
from tests.run_cases import SOMEBODY


def test_a_date_starts_one_run_and_is_then_over(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    publish(services, once())
    assert fire(services, AT_TEN - timedelta(seconds=1)) is None
    assert rows(store, Lease) == [], "something was written although nothing was due"
    assert fire(services) == {"fired": 1}
    assert fire(services, AT_TEN + timedelta(days=1)) is None
    (run,), kept = rows(store, WorkflowRun), schedule(store)

    assert (run.status, run.trigger_type) == ("RUNNING", "schedule")
    assert temporal_workflow_id(run.run_id) in engine.executions
    assert run.trigger_fire_key == f"schedule:{kept.schedule_id}:2026-11-23T10:00:00.000Z"
    assert (kept.status, kept.next_fire_at, kept.last_error) == ("completed", None, None)
    assert (kept.last_run_id, kept.last_fire_at) == (run.run_id, AT_TEN)
    assert kept.last_fire_key == run.trigger_fire_key


def test_a_cron_line_starts_a_run_each_time_with_the_clock_as_its_payload(
    services: Services, store: Store
) -> None:
    publish(services, EVERY_HOUR)
    fire(services, AT_TEN + timedelta(seconds=1))
    fire(services, AT_TEN + timedelta(seconds=9))
    fire(services, AT_TEN + timedelta(hours=1))
    kept = schedule(store)
    first, second = sorted(rows(store, WorkflowRun), key=lambda run: run.started_at)
    clock = {
        "scheduleId": kept.schedule_id,
        "scheduledFor": "2026-11-23T10:00:00.000Z",
        "firedAt": "2026-11-23T10:00:01.000Z",
        "timezone": "Europe/Berlin",
        "cron": "0 * * * *",
    }

    assert first.trigger_metadata_json == clock
    assert first.input_json == clock | {
        "triggerType": "recurring",
        "workflowId": first.workflow_id,
        "workflowVersion": 1,
    }
    assert validate_payload(BUILT_IN_SCHEMAS[CLOCK_SCHEMA], first.input_json) == []
    assert second.trigger_metadata_json["scheduledFor"] == "2026-11-23T11:00:00.000Z"
    assert (kept.status, kept.next_fire_at) == ("scheduled", AT_TEN + timedelta(hours=2))


def test_the_payload_is_the_clock_only_where_the_schema_is(
    services: Services, store: Store
) -> None:
    publish(services, once(), key="clock", payloadSchemaRef=CLOCK_SCHEMA)
    publish(services, once(), key="own", payloadSchema={"type": "object"})
    publish(services, once(), key="empty", payloadSchemaRef="payload.Empty.v1")
    fire(services)
    runs = rows(store, WorkflowRun)
    with store.reading() as session:
        assert CLOCK_SCHEMA in all_schemas(session)

    assert {run.status for run in runs} == {"RUNNING"}
    assert sorted(len(run.input_json) for run in runs) == [0, 0, 7]


def test_two_workers_at_once_give_one_run(services: Services, store: Store) -> None:
    """Also where the lease has run out under one of them: both have read that it is due."""
    publish(services, EVERY_HOUR)
    late = at(services, AT_TEN)
    (due,) = due_schedules(late)
    together = threading.Barrier(3)

    def work() -> None:
        together.wait()
        fire_schedule(late, due)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (run,), kept = rows(store, WorkflowRun), schedule(store)

    assert (kept.last_run_id, kept.last_error) == (run.run_id, None)
    assert kept.next_fire_at == AT_TEN + timedelta(hours=1)


@pytest.mark.parametrize("limit", [{}, {"concurrencyLimit": 1}], ids=["no limit", "one at a time"])
def test_a_run_that_another_worker_has_started_meanwhile_is_no_failure(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch, limit: dict[str, int]
) -> None:
    publish(services, EVERY_HOUR, **limit)
    late = at(services, AT_TEN)
    (due,) = due_schedules(late)

    def after_another(services: Services, request: Any) -> Launched:
        monkeypatch.undo()
        fire_schedule(late, due)
        change(store, next_fire_at=AT_TEN)
        return accept(services, request)

    monkeypatch.setattr("engine.services.start_by_schedule.accept", after_another)
    fire_schedule(late, due)
    (run,), kept = rows(store, WorkflowRun), schedule(store)

    assert run.status == "RUNNING"
    assert (kept.last_run_id, kept.last_error) == (run.run_id, None)


def test_a_worker_that_died_before_it_wrote_down_the_fire_gives_no_second_run(
    services: Services, store: Store
) -> None:
    publish(services, EVERY_HOUR)
    fire(services)
    change(store, next_fire_at=AT_TEN, last_run_id=None)
    fire(services, AT_TEN + timedelta(seconds=70))
    (run,), kept = rows(store, WorkflowRun), schedule(store)

    assert kept.last_run_id == run.run_id
    assert kept.next_fire_at == AT_TEN + timedelta(hours=1)


def test_times_that_nobody_saw_to_are_made_up_for_by_one_run(
    services: Services, store: Store
) -> None:
    publish(services, EVERY_HOUR)
    fire(services, AT_TEN + timedelta(hours=3, minutes=10))
    (run,) = rows(store, WorkflowRun)

    assert run.trigger_metadata_json["missed"] == 3
    assert run.trigger_metadata_json["scheduledFor"] == "2026-11-23T13:00:00.000Z"
    assert schedule(store).next_fire_at == AT_TEN + timedelta(hours=4)


def test_a_paused_workflow_skips_its_times_and_says_so(services: Services, store: Store) -> None:
    publish(services, EVERY_HOUR)
    publish(services, once(), key="once")
    for key in ("greet", "once"):
        pause_definition(services, key, SOMEBODY, "Broken")
    fire(services)
    unpause_definition(services, "greet", SOMEBODY)
    kept = {row.trigger_type: row for row in rows(store, WorkflowSchedule)}

    assert rows(store, WorkflowRun) == []
    for row in kept.values():
        assert "2026-11-23T10:00:00.000Z was skipped" in str(row.last_error)
        assert "paused" in str(row.last_error)
    assert (kept["schedule"].status, kept["recurring"].status) == ("failed", "scheduled")

    fire(services, AT_TEN + timedelta(hours=1))
    (run,) = rows(store, WorkflowRun)
    assert "missed" not in run.trigger_metadata_json


def test_what_cannot_start_leaves_one_failed_row_that_says_why(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    needs = {"type": "object", "required": ["name"]}
    publish(services, EVERY_HOUR, payloadSchema=needs)
    fire(services)
    change(store, next_fire_at=AT_TEN)
    fire(services, AT_TEN + timedelta(seconds=9))
    (run,), kept = rows(store, WorkflowRun), schedule(store)

    assert (run.status, run.trigger_type) == ("FAILED", "recurring")
    assert run.error_json["stage"] == "launch"
    assert "name" in str(run.error_json["details"]["problems"])
    assert run.trigger_metadata_json["scheduleId"] == kept.schedule_id
    assert engine.executions == {}
    assert (kept.status, kept.last_run_id) == ("scheduled", run.run_id)
    assert kept.last_error == run.error_json["message"]


def test_a_limit_leaves_a_failed_row_too(services: Services, store: Store) -> None:
    publish(services, EVERY_HOUR, concurrencyLimit=1)
    fire(services)
    fire(services, AT_TEN + timedelta(hours=1))
    codes = [run.error_json and run.error_json["code"] for run in rows(store, WorkflowRun)]

    assert sorted(codes, key=str) == ["CONCURRENCY_LIMIT", None]


def test_where_temporal_is_away_the_run_stays_for_the_reconciler(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    publish(services, once())
    engine.down = True
    fire(services)
    (run,), kept = rows(store, WorkflowRun), schedule(store)

    assert (run.status, run.claimed_by) == ("RUNNING", None)
    assert (kept.status, kept.last_run_id) == ("completed", run.run_id)


def test_a_schedule_whose_times_cannot_be_known_any_more_stops_and_says_so(
    services: Services, store: Store
) -> None:
    publish(services, EVERY_HOUR)
    change(store, timezone="No/Where")
    fire(services)
    kept = schedule(store)
    assert (kept.status, kept.next_fire_at) == ("failed", None)
    assert "No/Where" in str(kept.last_error)
    assert fire(services, AT_TEN + timedelta(hours=1)) is None


def test_one_schedule_that_fails_does_not_keep_the_others_from_their_time(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(services, once(AT_TEN - timedelta(minutes=1)), key="broken")
    publish(services, once(), key="well")
    with store.reading() as session:
        broken = find_definition(session, "broken").workflow_id

    def breaks(services: Services, fire: Any) -> Any:
        if fire.workflow_id == broken:
            raise RuntimeError("broken")
        return start_scheduled(services, fire)

    monkeypatch.setattr("engine.services.fire_schedules.start_scheduled", breaks)
    assert fire(services) == {"fired": 1}
    (run,) = rows(store, WorkflowRun)
    assert run.workflow_id != broken
    said = next(one for one in rows(store, WorkflowSchedule) if one.workflow_id == broken)
    assert "could not be started: RuntimeError. It is tried again" in said.last_error
    assert (said.status, said.last_run_id) == ("scheduled", None)
    monkeypatch.undo()
    assert fire(services, AT_TEN + timedelta(seconds=2)) == {"fired": 1}
    assert {one.last_error for one in rows(store, WorkflowSchedule)} == {None}
