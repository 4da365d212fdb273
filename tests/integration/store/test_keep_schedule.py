"""A workflow's schedule is what its newest version's trigger says (docs/authoring.md)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from engine.services.context import Services
from engine.services.find_definitions import list_definitions
from engine.services.fire_schedules import due_schedules, fire_schedule
from engine.store.session import Store
from engine.store.tables import (
    WorkflowDefinition,
    WorkflowRun,
    WorkflowSchedule,
)
from tests import builders
from tests.builders import NOW
from tests.integration.store.recorded import rows
from tests.integration.store.scheduled import (
    AT_TEN,
    EVERY_HOUR,
    at,
    fire,
    once,
    publish,
    schedule,
)


def test_a_new_version_changes_the_schedule_and_one_without_trigger_disables_it(
    services: Services, store: Store
) -> None:
    publish(services, EVERY_HOUR)
    first = schedule(store)
    publish(at(services, AT_TEN), EVERY_HOUR, description="The same trigger.")
    assert schedule(store).updated_at == first.updated_at
    publish(services, EVERY_HOUR | {"cron": "0 12 * * *"})
    changed = schedule(store)
    assert changed.schedule_id == first.schedule_id
    assert changed.next_fire_at == NOW.replace(hour=11, minute=0)
    publish(services)
    gone = schedule(store)
    assert (gone.status, gone.enabled, gone.next_fire_at) == ("disabled", False, None)
    assert fire(services, NOW + timedelta(days=9)) is None
    publish(services, EVERY_HOUR)
    assert (schedule(store).status, schedule(store).next_fire_at) == ("scheduled", AT_TEN)


def test_a_date_that_has_been_does_not_run_again_in_a_later_version(
    services: Services, store: Store
) -> None:
    publish(services, once())
    fire(services)
    for trigger in (once(), None, once()):
        publish(services, trigger, description=f"{trigger}, {builders.new_id()}")
        fire(services, AT_TEN + timedelta(hours=1))
    assert len(rows(store, WorkflowRun)) == 1
    publish(services, once(AT_TEN + timedelta(hours=2)))
    fire(services, AT_TEN + timedelta(hours=2))
    assert len(rows(store, WorkflowRun)) == 2


def test_a_version_from_before_there_were_schedules_gets_its_one_when_published_again(
    services: Services, store: Store
) -> None:
    publish(services, EVERY_HOUR)
    with store.writing() as session:
        session.delete(session.scalars(select(WorkflowSchedule)).one())
    publish(services, EVERY_HOUR)
    assert schedule(store).next_fire_at == AT_TEN


def test_what_publishing_sets_meanwhile_is_not_overwritten(
    services: Services, store: Store
) -> None:
    publish(services, EVERY_HOUR)
    late = at(services, AT_TEN)
    (due,) = due_schedules(late)
    publish(services, EVERY_HOUR | {"cron": "30 12 * * *"})
    fire_schedule(late, due)
    assert schedule(store).next_fire_at == NOW.replace(hour=11, minute=30)


def test_the_list_of_workflows_says_when_each_starts_next(services: Services, store: Store) -> None:
    publish(services, EVERY_HOUR)
    publish(services, key="by-hand")
    with store.reading() as session:
        found = {row.key: row.next_fire_at for row in list_definitions(session)}
    assert found == {"greet": AT_TEN, "by-hand": None}
    assert len(rows(store, WorkflowDefinition)) == 2
