"""The original's tables of events and tasks are adopted with what is in them."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine, select, text

from engine.services.deliver_event import deliver_event
from engine.services.tell_waits import OLD_ENOUGH
from engine.services.tend_waits import tend_waits
from engine.store import schema
from engine.store.session import Store
from engine.store.tables import WorkflowHumanTask, WorkflowRuntimeEvent
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.migrations.cut_over_rows import Runs, adopt
from tests.run_cases import SOMEBODY

_EVENTS = """
CREATE TABLE workflow_runtime_events (
  event_id {uuid} PRIMARY KEY, tenant {uuid}, event_name text NOT NULL, correlation_key text,
  payload {json}, payload_schema_ref text, schema_ref_conflict {json},
  created_at {time} NOT NULL, processed_at {time}, matched_run_id {uuid}, matched_wait_id {uuid},
  matched_step_path text, error_message text)
"""
_WORDS = {
    "postgresql": {"uuid": "uuid", "json": "jsonb", "time": "timestamptz"},
    "sqlite": {"uuid": "text", "json": "text", "time": "text"},
}
_OLD_EVENT = "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_old_events_stay_and_are_not_seen_to_again(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        connection.execute(text(_EVENTS.format(**_WORDS[engine.dialect.name])))
        connection.execute(
            text(
                "INSERT INTO workflow_runtime_events (event_id, event_name, created_at) VALUES "
                f"('{_OLD_EVENT}', 'old', '2026-01-03 00:00:00+00')"
            )
        )
        tasks = connection.scalar(text("SELECT count(*) FROM workflow_tasks"))
    adopt(engine)
    store = Store(engine)
    services = builders.services(store, gateway=FakeEngine())
    sent = deliver_event(services, "new", None, {"n": 1}, event_id="any text", actor=SOMEBODY)

    assert sent.event_id == "any text"
    done = tend_waits(replace(services, now=lambda: builders.NOW + OLD_ENOUGH * 2), "worker")
    assert (done or {}).get("processed", 0) == 0
    with store.reading() as session:
        events = session.scalars(select(WorkflowRuntimeEvent)).all()
        assert {event.event_name for event in events} == {"old", "new"}
        assert session.scalars(select(WorkflowHumanTask)).all() == []
        assert session.scalar(text("SELECT count(*) FROM workflow_tasks")) == tasks
    assert schema.at_head(engine)
