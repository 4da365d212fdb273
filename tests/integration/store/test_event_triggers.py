"""An event starts the workflows whose trigger it is, once (docs/authoring.md, Triggers)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.contract import temporal_workflow_id
from engine.services.context import Services
from engine.store.session import Store
from engine.store.tables import (
    WorkflowDefinitionVersion,
    WorkflowRun,
)
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.store.events_sent import (
    send,
)
from tests.integration.store.recorded import rows
from tests.run_cases import a_run

Wrapped = Callable[..., Any]


@pytest.fixture
def run(store: Store, engine: FakeEngine) -> WorkflowRun:
    return a_run(store, engine)


def test_an_event_starts_one_run_of_each_workflow_it_triggers(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    trigger = {
        "type": "event",
        "eventName": "paid",
        "payloadMapping": {"name": {"$expr": "event.payload.who & '/' & event.correlationKey"}},
    }
    builders.published(store, "mapped", trigger=trigger)
    builders.published(store, "plain", trigger={"type": "event", "eventName": "paid"})
    builders.published(store, "other", trigger={"type": "event", "eventName": "else"})
    builders.published(
        store, "paused", trigger={"type": "event", "eventName": "paid"}, is_paused=True
    )
    first = send(services, {"who": "Ada"}, event_id="e-1")
    again = send(services, {"who": "Ada"}, event_id="e-1")
    found = {str(run.input_json): run for run in rows(store, WorkflowRun)}

    assert set(found) == {"{'name': 'Ada/k'}", "{'who': 'Ada'}"}
    assert (
        set(first.started_runs) == set(again.started_runs) == {run.run_id for run in found.values()}
    )
    mapped = found["{'name': 'Ada/k'}"]
    assert (mapped.status, mapped.trigger_type, mapped.event_type) == (
        "RUNNING",
        "event",
        "paid",
    )
    assert mapped.trigger_mapping_applied
    assert mapped.trigger_metadata_json == {
        "eventId": "e-1",
        "eventName": "paid",
        "correlationKey": "k",
    }
    assert temporal_workflow_id(mapped.run_id) in engine.executions


def test_a_payload_that_does_not_fit_leaves_a_failed_row_that_says_why(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    trigger = {"type": "event", "eventName": "paid"}
    _, version = builders.published(store, "strict", trigger=trigger)
    with store.writing() as session:
        found = session.get_one(WorkflowDefinitionVersion, version.version_id)
        found.payload_schema_json = {"type": "object", "required": ["name"]}
    for _ in range(2):
        receipt = send(services, {"no": "name"}, event_id="e-1")
    [run] = rows(store, WorkflowRun)

    assert receipt.started_runs == (run.run_id,)
    assert (run.status, run.trigger_type, run.engine) == ("FAILED", "event", "temporal")
    assert run.error_json["stage"] == "launch"
    assert run.error_json["category"] == "ValidationError"
    assert "name" in str(run.error_json["details"]["problems"])
    assert engine.executions == {}


def test_where_temporal_is_away_the_run_stays_for_the_reconciler(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    builders.published(store, "plain", trigger={"type": "event", "eventName": "paid"})
    engine.down = True
    receipt = send(services)
    [run] = rows(store, WorkflowRun)

    assert receipt.started_runs == (run.run_id,)
    assert (run.status, run.claimed_by) == ("RUNNING", None)
