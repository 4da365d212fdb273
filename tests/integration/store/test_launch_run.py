"""What a launch accepts, refuses and writes, on both databases (architecture.md 3; rules.md 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.contract import Json, temporal_workflow_id
from engine.definitions.catalogue import ActionSpec
from engine.errors import Conflict, Invalid, NotFound, RunStudioError, TooLarge
from engine.runs.payload import Payload
from engine.services.context import Services
from engine.services.launch_run import Launched, LaunchRequest, launch_published_workflow_run
from engine.store.session import Store
from engine.store.tables import AuditLog, WorkflowDefinitionVersion, WorkflowRun, WorkflowRunLog
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, audits

SCHEMA = {
    "type": "object",
    "properties": {"customer": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["customer"],
}


def launch(services: Services, key: str | None, payload: Json = None, **fields: Any) -> Launched:
    request = LaunchRequest(
        workflow_key=key,
        payload=Payload({} if payload is None else payload),
        actor=fields.pop("actor", SOMEBODY),
        **fields,
    )
    return launch_published_workflow_run(services, request)


def count_runs(store: Store) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(WorkflowRun)) or 0


def the_run(store: Store, run_id: str) -> WorkflowRun:
    with store.reading() as session:
        return session.get_one(WorkflowRun, run_id)


def test_a_launch_commits_the_row_and_then_starts_it_by_its_own_id(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    builders.published(store, "greet")
    rows_at_start: list[int] = []
    engine.before = lambda call: rows_at_start.append(count_runs(store))
    launched = launch(services, "greet", {"customer": "Ann"})
    assert rows_at_start == [1]
    assert engine.asked("start") == [launched.run_id]
    run = the_run(store, launched.run_id)
    assert (run.status, run.engine, run.epoch) == ("RUNNING", "temporal", 1)
    assert run.temporal_workflow_id == temporal_workflow_id(run.run_id)
    assert run.temporal_run_id == f"execution-of-run-{run.run_id}"
    assert (run.input_json, run.started_at, run.claimed_by) == ({"customer": "Ann"}, NOW, None)
    assert not launched.already


def test_a_launch_is_logged_and_audited(store: Store, services: Services) -> None:
    builders.published(store, "greet")
    launched = launch(services, "greet")
    assert audits(store) == [("workflow_run_start done", launched.run_id)]
    with store.reading() as session:
        line = session.scalars(select(WorkflowRunLog)).one()
        audit = session.scalars(select(AuditLog)).one()
    assert (line.level, line.run_id) == ("INFO", launched.run_id)
    assert (audit.operator_email, audit.source_ip) == ("ann@example.com", "192.0.2.1")


def test_the_newest_version_is_launched_unless_one_is_named(
    store: Store, services: Services
) -> None:
    definition, _ = builders.published(store, "greet")
    builders.save(store, builders.version(definition, 2))
    assert the_run(store, launch(services, "greet").run_id).workflow_version == 2
    assert the_run(store, launch(services, "greet", version=1).run_id).workflow_version == 1


@pytest.mark.parametrize(
    ("key", "fields", "kind", "code"),
    [
        ("unknown", {}, NotFound, "WORKFLOW_NOT_FOUND"),
        ("\0", {}, NotFound, "WORKFLOW_NOT_FOUND"),
        ("draft", {"status": "draft"}, Conflict, "WORKFLOW_NOT_PUBLISHED"),
        ("paused", {"is_paused": True}, Conflict, "WORKFLOW_PAUSED"),
    ],
)
def test_what_cannot_be_run_is_refused_and_nothing_is_written(
    store: Store,
    engine: FakeEngine,
    services: Services,
    key: str,
    fields: dict[str, Any],
    kind: type[RunStudioError],
    code: str,
) -> None:
    builders.published(store, key if fields else "greet", **fields)
    with pytest.raises(kind) as caught:
        launch(services, key)
    assert caught.value.code == code
    assert (count_runs(store), engine.calls) == (0, [])


def test_a_version_that_is_not_there_is_not_found(store: Store, services: Services) -> None:
    builders.published(store, "greet")
    with pytest.raises(NotFound):
        launch(services, "greet", version=7)
    builders.save(store, builders.definition("empty"))
    with pytest.raises(Conflict) as caught:
        launch(services, "empty")
    assert caught.value.code == "WORKFLOW_NOT_PUBLISHED"


def test_a_workflow_without_a_key_is_launched_by_its_id(store: Store, services: Services) -> None:
    definition, _ = builders.published(store, "greet")
    launched = launch(services, None, workflow_id=definition.workflow_id)
    assert the_run(store, launched.run_id).workflow_id == definition.workflow_id


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ({"customer": 7}, "/customer"),
        ({"customer": "Ann", "count": 1.5}, "/count"),
        ({}, "/customer"),
        ({"customer": "a\0"}, "/customer"),
        ({"customer": "Ann", "count": float("nan")}, "/count"),
        ([1], ""),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_with_the_place(
    store: Store, engine: FakeEngine, services: Services, payload: Json, pointer: str
) -> None:
    definition = builders.definition("greet")
    builders.save(store, definition, builders.version(definition, payload_schema_json=SCHEMA))
    with pytest.raises(Invalid) as caught:
        launch(services, "greet", payload)
    assert pointer in [problem.pointer for problem in caught.value.problems]
    assert (count_runs(store), engine.calls) == (0, [])


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_a_payload_is_accepted_up_to_the_limit_and_not_a_byte_above(
    store: Store, services: Services, extra: int, fits: bool
) -> None:
    builders.published(store, "greet")
    limit = services.limits.payload_bytes
    payload = {"text": "é" + "x" * (limit - len('{"text":""}') - 2 + extra)}
    if fits:
        assert launch(services, "greet", payload)
        return
    with pytest.raises(TooLarge) as caught:
        launch(services, "greet", payload)
    assert caught.value.details == {"bytes": limit + 1, "limit": limit}
    assert count_runs(store) == 0


class TwoActions(builders.EmptyCatalogue):
    def find(self, action: str, version: int) -> ActionSpec | None:
        if (action, version) != ("log.write", 1):
            return None
        return ActionSpec("log.write", 1, {}, {}, "", quick=True, repeatable=True)


def an_action(action: str, version: int = 1) -> dict[str, Any]:
    return {
        "id": action.replace(".", "-"),
        "type": "action.call",
        "config": {"actionId": action, "version": version},
    }


def test_a_version_without_a_plan_is_compiled_at_its_first_launch_for_good(
    store: Store, services: Services
) -> None:
    services = replace(services, catalogue=TwoActions())
    definition = builders.definition(
        "old", draft_definition=builders.document("old", steps=[an_action("log.write")])
    )
    version = builders.version(definition, plan_json=None)
    builders.save(store, definition, version)
    run = the_run(store, launch(services, "old").run_id)
    assert run.node_path == "root.steps[0]"
    with store.reading() as session:
        plan = session.get_one(WorkflowDefinitionVersion, version.version_id).plan_json
    assert plan["steps"][0]["mode"] == "local"


@pytest.mark.parametrize("compiled", [True, False])
def test_what_this_installation_lacks_is_listed_whole_and_nothing_is_written(
    store: Store, services: Services, compiled: bool
) -> None:
    services = replace(services, catalogue=TwoActions())
    steps = [
        an_action("log.write"),
        {
            "id": "branch",
            "type": "control.if",
            "condition": {"$expr": "true"},
            "then": [an_action("gone.away"), an_action("log.write", 2)],
        },
        {"id": "odd", "type": "email.receive", "config": {}},
    ]
    plan = {
        "format": 1,
        "steps": [
            {"id": "a", "kind": "action.call", "path": "p", "config": steps[0]["config"]},
            {
                "id": "b",
                "kind": "control.if",
                "path": "p",
                "blocks": {
                    "then": [
                        {"id": step["id"], "kind": "action.call", "path": "p"}
                        | {"config": step["config"]}
                        for step in steps[1]["then"]
                    ]
                },
            },
            {"id": "c", "kind": "email.receive", "path": "p"},
        ],
    }
    definition = builders.definition("old", draft_definition=builders.document("old", steps=steps))
    version = builders.version(definition, plan_json=plan if compiled else None)
    builders.save(store, definition, version)
    with pytest.raises(Conflict) as caught:
        launch(services, "old")
    assert caught.value.details["missing"] == [
        "action gone.away@1",
        "action log.write@2",
        "step kind email.receive",
    ]
    assert count_runs(store) == 0
