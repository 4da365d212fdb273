"""Publishing: numbers, immutability, sameness, and refusals that leave nothing behind."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.actions.registry import default_registry
from engine.definitions.hashing import canonical_hash
from engine.errors import Conflict, Invalid
from engine.services import find_definitions, payload_schemas, publish_definition
from engine.services.context import Actor, Services
from engine.services.pause_definition import pause_definition
from engine.services.publish_definition import DocumentRefused, Published
from engine.store.session import Store
from engine.store.tables import AuditLog, WorkflowDefinition, WorkflowDefinitionVersion
from tests import builders
from tests.builders import document

ACTOR = Actor(operator_id=builders.new_id(), email="ada@example.com")
CALL = {
    "id": "note",
    "type": "action.call",
    "config": {
        "actionId": "log.write",
        "version": 1,
        "inputMapping": {"level": "INFO", "message": {"$expr": "payload.name"}},
    },
}


@pytest.fixture
def services(store: Store) -> Services:
    return builders.services(store, catalogue=default_registry())


def publish(services: Services, data: Any) -> Published:
    return publish_definition.publish(services, data, ACTOR)


def versions(services: Services, key: str = "greet") -> list[WorkflowDefinitionVersion]:
    with services.store.reading() as session:
        of = find_definitions.find_definition(session, key)
        return list(
            session.scalars(
                select(WorkflowDefinitionVersion)
                .where(WorkflowDefinitionVersion.workflow_id == of.workflow_id)
                .order_by(WorkflowDefinitionVersion.version)
            )
        )


def definition(services: Services, key: str = "greet") -> WorkflowDefinition:
    with services.store.reading() as session:
        return find_definitions.find_definition(session, key)


def rows(services: Services) -> int:
    with services.store.reading() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (WorkflowDefinition, WorkflowDefinitionVersion, AuditLog)
        )


def test_a_first_document_is_version_1_with_its_plan_and_schema(services: Services) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    published = publish(
        services,
        document(steps=[CALL], payloadSchema=schema, concurrencyLimit=3, description="Says hello."),
    )
    assert (published.key, published.version, published.already) == ("greet", 1, False)
    (version,) = versions(services)
    assert version.definition_json["version"] == 1
    assert version.definition_hash == canonical_hash(version.definition_json)
    assert version.payload_schema_json == schema
    assert version.plan_json["steps"][0]["mode"] == "local"
    assert version.published_by == ACTOR.operator_id
    assert version.published_at == builders.NOW
    of = definition(services)
    assert (of.status, of.concurrency_limit, of.description) == ("published", 3, "Says hello.")
    assert of.draft_version == 2


def test_the_same_document_again_publishes_nothing_and_says_so(services: Services) -> None:
    publish(services, document())
    before = rows(services)
    again = publish(services, document())
    assert (again.version, again.already) == (1, True)
    reordered = dict(reversed(document().items()))
    assert publish(services, reordered).already
    assert publish(services, document(version=1)).already
    assert rows(services) == before


def test_another_document_is_the_next_version(services: Services) -> None:
    publish(services, document())
    published = publish(services, document(name="Greet twice", concurrencyLimit=2))
    assert (published.version, published.already) == (2, False)
    assert [one.version for one in versions(services)] == [1, 2]
    assert definition(services).name == "Greet twice"
    back = publish(services, document())
    assert (back.version, back.already) == (3, False)
    assert definition(services).concurrency_limit is None


def test_a_number_may_be_given_and_left_out(services: Services) -> None:
    assert publish(services, document(version=5)).version == 5
    assert publish(services, document(name="Six")).version == 6
    assert publish(services, document(name="Ten", version=10)).version == 10
    assert publish(services, document(name="Ten", version=11)).version == 11


def test_a_published_number_is_refused_for_other_content_and_never_changes(
    services: Services,
) -> None:
    publish(services, document(version=1))
    publish(services, document(name="Two", version=2))
    before = rows(services)
    with pytest.raises(Conflict) as refused:
        publish(services, document(name="Other", version=1))
    assert refused.value.code == "VERSION_TAKEN"
    assert publish(services, document(version=1)).already
    assert rows(services) == before
    assert versions(services)[0].definition_json["name"] == "Greet"


def test_an_older_number_that_is_free_does_not_become_the_newest(services: Services) -> None:
    publish(services, document(name="Five", version=5))
    publish(services, document(name="Three", version=3))
    assert definition(services).name == "Five"
    with services.store.reading() as session:
        newest = find_definitions.latest_version(session, definition(services).workflow_id)
    assert newest is not None
    assert newest.version == 5


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "document",
        {},
        {"id": "Not A Key", "name": "", "steps": []},
        document(steps=[{"id": "a", "type": "no.such.kind"}]),
        document(steps=[CALL, CALL]),
        document(payloadSchemaRef="payload.Nowhere.v1"),
        document(unknown=True),
        document(version=0),
    ],
)
def test_a_faulty_document_is_refused_whole_and_nothing_is_written(
    services: Services, data: Any
) -> None:
    with pytest.raises(DocumentRefused) as refused:
        publish(services, data)
    assert refused.value.findings
    assert len(refused.value.problems) == sum(
        one.severity == "error" for one in refused.value.findings
    )
    assert rows(services) == 0


@pytest.mark.parametrize("text", ["{", '{"id": "a", "id": "a"}', '{"n": NaN}', b"\xff"])
def test_what_is_no_strict_json_is_refused(services: Services, text: str | bytes) -> None:
    with pytest.raises(Invalid):
        publish_definition.publish_text(services, text, ACTOR)
    assert rows(services) == 0


def test_a_deep_document_is_read(services: Services) -> None:
    steps: list[Any] = [{"id": "s0", "type": "state.set", "config": {"state": "deep"}}]
    for level in range(1, 32):
        condition = {"$expr": "true"}
        steps = [{"id": f"s{level}", "type": "control.if", "condition": condition, "then": steps}]
    assert publish(services, document(steps=steps)).version == 1


def test_checking_writes_nothing(services: Services) -> None:
    assert publish_definition.check(services, document()) == []
    assert publish_definition.check(services, document(unknown=True)) != []
    assert rows(services) == 0


def test_a_warning_does_not_refuse_and_is_kept(services: Services) -> None:
    secret = {**CALL["config"], "inputMapping": {"level": "INFO", "message": {"$secret": "NONE"}}}
    known = builders.services(
        services.store, catalogue=services.catalogue, secret_names=frozenset({"OTHER"})
    )
    published = publish(known, document(steps=[{**CALL, "config": secret}]))
    assert [one.code for one in published.findings] == ["UNKNOWN_SECRET"]
    (version,) = versions(services)
    assert version.validation_status == "warning"
    assert version.validation_warnings[0]["code"] == "UNKNOWN_SECRET"


def test_publishing_is_audited_once(services: Services) -> None:
    publish(services, document())
    publish(services, document())
    with services.store.reading() as session:
        entries = session.scalars(select(AuditLog)).all()
    assert [(one.operation, one.operator_email) for one in entries] == [
        ("workflow_publish", "ada@example.com")
    ]
    assert entries[0].details_json == {"key": "greet", "version": 1}


def test_publishing_does_not_unpause(services: Services) -> None:
    publish(services, document())
    pause_definition(services, "greet", ACTOR, "Broken")
    publish(services, document(name="New"))
    assert definition(services).is_paused


def test_publishers_at_once_get_numbers_of_their_own(services: Services) -> None:
    found: list[Published | Exception] = []

    def one(number: int) -> None:
        try:
            found.append(publish(services, document(name=f"By {number}")))
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(one.version for one in found if isinstance(one, Published))
    assert numbers == [1, 2, 3, 4], found


def test_a_schema_of_the_installation_is_copied_into_the_version(services: Services) -> None:
    schema = {"type": "object", "required": ["ticket"]}
    assert payload_schemas.add_schema(services, "payload.Ticket.v1", schema, ACTOR)
    assert not payload_schemas.add_schema(services, "payload.Ticket.v1", schema, ACTOR)
    publish(services, document(payloadSchemaRef="payload.Ticket.v1"))
    (version,) = versions(services)
    assert version.payload_schema_json == schema
    assert definition(services).payload_schema_ref == "payload.Ticket.v1"


def test_the_empty_payload_is_built_in(services: Services) -> None:
    publish(services, document(payloadSchemaRef="payload.Empty.v1"))
    assert versions(services)[0].payload_schema_json["additionalProperties"] is False


def test_a_schema_never_changes_under_its_name(services: Services) -> None:
    payload_schemas.add_schema(services, "payload.Ticket.v1", {"type": "object"}, ACTOR)
    for ref in ("payload.Ticket.v1", "payload.Empty.v1"):
        with pytest.raises(Conflict):
            payload_schemas.add_schema(services, ref, {"type": "array"}, ACTOR)


@pytest.mark.parametrize(
    ("ref", "schema"),
    [("", {}), ("a\0b", {}), ("x", {"type": "nonsense"}), ("x", {"$ref": "https://example.com/s"})],
)
def test_what_is_no_schema_is_not_added(services: Services, ref: str, schema: Any) -> None:
    with pytest.raises(Invalid):
        payload_schemas.add_schema(services, ref, schema, ACTOR)


def test_a_called_workflow_is_pinned_when_its_caller_is_published(services: Services) -> None:
    call = {"id": "call", "type": "control.callWorkflow", "workflowId": "greet"}
    assert publish_definition.check(services, document("caller", steps=[call])) != []
    publish(services, document())
    publish(services, document("caller", steps=[call]))
    (version,) = versions(services, "caller")
    assert version.plan_json["steps"][0]["config"]["workflowVersion"] == 1
