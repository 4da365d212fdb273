"""The rows of the service desk: who works there, what is published, what has been run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import NAMESPACE_DNS, uuid5

from werkzeug.security import generate_password_hash

from engine.services.context import Actor, Services
from engine.services.draft_bulk import draft_selected
from engine.services.perform_bulk import perform_bulk
from engine.services.saved_views import save_view
from engine.services.start_bulk import start_bulk
from engine.store.bulk import BulkKind
from engine.store.schedules import WorkflowSchedule
from engine.store.tables import WorkflowDefinition, WorkflowRun
from engine.store.workers import WorkerHeartbeat
from tests import builders
from tests.scene import run_rows
from tests.scene.documents import CHECK, CHECK_BEFORE, ONBOARDING, SCHEMA

NOW: Final = builders.NOW
"""The clock of the scene stands here: the pictures are the same each time."""
PASSWORD: Final = "correct horse battery staple"
ADMIN: Final = "maria@northwind.example"
VIEWER: Final = "vera@northwind.example"
MINUTE: Final = timedelta(minutes=1)
OPEN: Final = ("waiting", "over quota", "going on", "cancel requested", "parent")
"""The runs that Temporal executes."""


@dataclass(frozen=True)
class Desk:
    """What the addresses of the pages are made of."""

    runs: dict[str, str]
    """Ids by what is to be seen: failed, waiting, queued, …"""
    tasks: dict[str, str]
    bulk: dict[str, str]


def furnish(services: Services) -> Desk:
    """Write the rows. The clock of `services` must stand at `NOW`."""
    hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
    maria = builders.operator("admin", email=ADMIN, password_hash=hashed)
    vera = builders.operator("viewer", email=VIEWER, password_hash=hashed)
    builders.save(
        services.store,
        maria, vera, builders.operator("operator", email="omar@northwind.example", is_active=False),
        WorkerHeartbeat(
            identity="1017@desk-1", state="running", task_queue="run-studio", namespace="default",
            registry_fingerprint="0" * 64, slots=20, slots_used=3,
            started_at=NOW - timedelta(days=2), seen_at=NOW - 6 * MINUTE,
        ),
    )  # fmt: skip
    workflows = _publish(services)
    runs = _runs(services, workflows, maria.operator_id)
    tasks = run_rows.details(services, runs)
    save_view(services, maria.operator_id, "Failed today", "status=FAILED&last=24h")
    save_view(services, maria.operator_id, "Waiting for us", "status=WAITING")
    return Desk(
        {name: run.run_id for name, run in runs.items()},
        tasks,
        _bulk(services, Actor(maria.operator_id, ADMIN), runs),
    )


def _publish(services: Services) -> dict[str, WorkflowDefinition]:
    check = builders.definition(
        "device-check", name="Device check", draft_definition=CHECK,
        description="Asks every device of a client how it is.",
    )  # fmt: skip
    onboarding = builders.definition(
        "onboarding", name="Onboarding", draft_definition=ONBOARDING, concurrency_limit=5,
        description="Sets a new colleague up: accounts, devices, first day.",
    )  # fmt: skip
    nightly = builders.definition(
        "nightly-report", name="Nightly report", is_paused=True, draft_definition=ONBOARDING,
    )  # fmt: skip
    draft = builders.definition("offboarding", name="Offboarding", status="draft")
    builders.save(
        services.store, check, onboarding, nightly, draft,
        builders.version(check, definition_json=CHECK_BEFORE, published_by=ADMIN,
                         payload_schema_json=SCHEMA, published_at=NOW - timedelta(days=9)),
        builders.version(check, 2, definition_json=CHECK, published_by=ADMIN,
                         payload_schema_json=SCHEMA, published_at=NOW - timedelta(days=2)),
        builders.version(onboarding, published_by=ADMIN),
        builders.version(nightly, published_by=ADMIN),
        WorkflowSchedule(
            schedule_id=_id("schedule"), workflow_id=nightly.workflow_id, trigger_type="recurring",
            cron="0 3 * * *", timezone="Europe/Berlin", payload_json={}, enabled=True,
            status="scheduled", next_fire_at=NOW + timedelta(hours=17),
            last_fire_at=NOW - timedelta(hours=7), last_error="The workflow is paused.",
            created_at=NOW, updated_at=NOW,
        ),
    )  # fmt: skip
    return {of.name: of for of in (check, onboarding, nightly, draft)}


def _runs(
    services: Services, workflows: dict[str, WorkflowDefinition], operator_id: str
) -> dict[str, WorkflowRun]:
    """By what is to be seen of them."""
    made: dict[str, WorkflowRun] = {}

    def run(name: str, status: str, ago: timedelta, of: str = "Device check", **more: Any) -> str:
        began, lasted = NOW - ago, more.pop("lasted", None)
        payload = {"client": "Northwind", "devices": ["nas", "router"], "token": "x"}
        fields: dict[str, Any] = {
            "run_id": _id(name), "workflow_version": 2 if of == "Device check" else 1,
            "started_at": began, "started_by": operator_id, "trigger_type": "manual",
            "input_json": payload, "claimed_by": "x", "claimed_at": began + timedelta(seconds=0.3),
            "temporal_run_id": _id(f"{name} in Temporal"), "updated_at": NOW,
        }  # fmt: skip
        if lasted is not None:
            fields["completed_at"] = began + lasted
        made[name] = builders.run(workflows[of], status, **fields | more)
        builders.save(services.store, made[name])
        return made[name].run_id

    unclaimed: dict[str, Any] = {"claimed_by": None, "claimed_at": None, "temporal_run_id": None}
    for number in range(12):
        run(f"done {number}", "SUCCEEDED", timedelta(hours=3, minutes=7 * number),
            lasted=timedelta(seconds=9 + number), workflow_version=1)  # fmt: skip
    failed = run("failed", "FAILED", 20 * MINUTE, lasted=MINUTE, error_json=run_rows.ERROR,
                 replay_of_run_id=_id("done 0"), reason="The monitoring is back")  # fmt: skip
    run("replay of failed", "SUCCEEDED", 10 * MINUTE, lasted=9 * timedelta(seconds=1),
        replay_of_run_id=failed, reason="The NAS has been restarted")  # fmt: skip
    run("waiting", "WAITING", 50 * MINUTE, state_label="Waiting for approval")
    run("over quota", "WAITING", 70 * MINUTE)
    run("queued", "RUNNING", 4 * MINUTE, **unclaimed)
    run("going on", "RUNNING", 2 * MINUTE)
    run("cancel requested", "RUNNING", 9 * MINUTE, cancel_requested_at=NOW - 2 * MINUTE,
        cancel_requested_by=operator_id, cancel_reason="Wrong client",
        cancel_delivered_at=NOW - 2 * MINUTE)  # fmt: skip
    run("canceled", "CANCELED", 90 * MINUTE, lasted=4 * MINUTE, cancel_reason="Wrong client",
        cancel_requested_at=NOW - 88 * MINUTE, cancel_requested_by=operator_id,
        cancel_delivered_at=NOW - 88 * MINUTE)  # fmt: skip
    run("not started", "FAILED", 100 * MINUTE, lasted=MINUTE / 30,
        error_json=run_rows.NOT_STARTED, **unclaimed)  # fmt: skip
    parent = run("parent", "RUNNING", 30 * MINUTE, "Onboarding", trigger_type="event",
                 started_by=None)  # fmt: skip
    child: dict[str, Any] = {"parent_run_id": parent, "root_run_id": parent, "started_by": None,
                             "trigger_type": "call"}  # fmt: skip
    run("first child", "SUCCEEDED", 29 * MINUTE, lasted=timedelta(seconds=12), **child)
    run("second child", "FAILED", 28 * MINUTE, lasted=MINUTE, error_json=run_rows.ERROR, **child)
    run("before the cut-over", "CANCELED", timedelta(days=40), lasted=timedelta(days=9),
        engine="db", epoch=0, error_json=run_rows.CUT_OVER, **unclaimed,
        temporal_workflow_id=None)  # fmt: skip
    return made


def _bulk(services: Services, actor: Actor, runs: dict[str, WorkflowRun]) -> dict[str, str]:
    """One that has been thought of, one that is done, one that goes on."""

    def of(kind: BulkKind, *names: str) -> str:
        return draft_selected(services, kind, actor, [runs[name].run_id for name in names])

    done = of(BulkKind.REPLAY, "done 1", "done 2", "done 3", "queued")
    start_bulk(services, done, actor, "The monitoring is back")
    while perform_bulk(services, "worker"):
        pass
    going_on = of(BulkKind.CANCEL, "waiting", "over quota", "going on", "failed")
    start_bulk(services, going_on, actor, "The client has left")
    draft = of(BulkKind.REPLAY, "failed", "second child", "not started", "going on")
    return {"draft": draft, "going on": going_on, "done": done}


def _id(name: str) -> str:
    """The same in every picture."""
    return str(uuid5(NAMESPACE_DNS, f"{name}.northwind.example"))
