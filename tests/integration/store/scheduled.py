"""Workflows with time triggers, and workers that come when the test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import update

from engine.contract import Json
from engine.services import publish_definition
from engine.services.context import Services
from engine.services.fire_schedules import fire_schedules
from engine.store.session import Store
from engine.store.tables import (
    WorkflowSchedule,
)
from tests import builders
from tests.builders import NOW
from tests.integration.store.recorded import rows
from tests.run_cases import SOMEBODY

EVERY_HOUR = {"type": "recurring", "cron": "0 * * * *", "timezone": "Europe/Berlin"}
AT_TEN = NOW.replace(hour=10, minute=0)


def once(when: datetime = AT_TEN) -> dict[str, Json]:
    return {"type": "schedule", "runAt": when.isoformat()}


def publish(services: Services, trigger: Json = None, **fields: Any) -> None:
    given = fields if trigger is None else fields | {"trigger": trigger}
    publish_definition.publish(services, builders.document(**given), SOMEBODY)


def at(services: Services, moment: datetime) -> Services:
    return replace(services, now=lambda: moment)


def fire(services: Services, moment: datetime = AT_TEN) -> dict[str, Json] | None:
    return fire_schedules(at(services, moment), "worker")


def schedule(store: Store) -> WorkflowSchedule:
    found: WorkflowSchedule
    (found,) = rows(store, WorkflowSchedule)
    return found


def change(store: Store, **values: Any) -> None:
    with store.writing() as session:
        session.execute(update(WorkflowSchedule).values(**values))
