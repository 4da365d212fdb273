"""What a clock starts is executed: a date and a cron line on a real Temporal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.services import publish_definition
from engine.services.fire_schedules import fire_schedules
from engine.store.tables import WorkflowDefinition, WorkflowRun, WorkflowSchedule
from tests import builders
from tests.run_cases import SOMEBODY
from tests.steps import assign
from tests.studio import Studio
from tests.worker_program import worker

pytestmark = pytest.mark.temporal


def publish(studio: Studio, key: str, trigger: dict[str, Any]) -> None:
    taken = assign("taken", by="payload.triggerType", at="payload.scheduledFor")
    document = builders.document(key, steps=[taken], trigger=trigger)
    publish_definition.publish(studio.services, document, SOMEBODY)


def runs(studio: Studio, key: str) -> list[str]:
    with studio.store.reading() as session:
        return list(
            session.scalars(
                select(WorkflowRun.run_id)
                .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
                .where(WorkflowDefinition.key == key)
            )
        )


def test_a_date_and_a_cron_line_that_are_due_are_executed_once(own_studio: Studio) -> None:
    studio = own_studio
    now = studio.services.now()
    publish(studio, "once", {"type": "schedule", "runAt": now.isoformat(timespec="seconds")})
    publish(studio, "often", {"type": "recurring", "cron": "*/5 * * * *", "timezone": "UTC"})
    with studio.store.reading() as session:
        due = max(row.next_fire_at for row in session.scalars(select(WorkflowSchedule)))
    services = replace(studio.services, now=lambda: due + timedelta(seconds=1))

    with studio.worker():
        assert fire_schedules(services, "worker") == {"fired": 2}
        assert fire_schedules(services, "another") is None
        for key, kind in (("once", "schedule"), ("often", "recurring")):
            (run_id,) = runs(studio, key)
            run = studio.ended(run_id)
            (step,) = studio.steps(run_id)
            assert (run.status, run.trigger_type) == ("SUCCEEDED", kind)
            assert step.output_json["vars.by"] == kind
            assert step.output_json["vars.at"] == run.trigger_metadata_json["scheduledFor"]


def test_the_worker_s_process_starts_what_is_due_by_itself(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    soon = own_studio.services.now() + timedelta(seconds=2)
    publish(own_studio, "soon", {"type": "schedule", "runAt": soon.isoformat()})
    with worker(tmp_path, TEMPORAL_ADDRESS=temporal_address, DATABASE_URL=sqlite_url) as running:
        running.says("worker.started")
        own_studio.eventually(lambda: len(runs(own_studio, "soon")) == 1)
        (run_id,) = runs(own_studio, "soon")
        assert own_studio.ended(run_id).status == "SUCCEEDED"
    assert own_studio.run(run_id).started_at >= soon
