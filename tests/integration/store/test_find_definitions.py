"""Reading workflows and their versions."""

from __future__ import annotations

import pytest

from engine.errors import NotFound
from engine.services import find_definitions
from engine.services.published_workflows import PublishedWorkflows
from engine.store.session import Store
from tests import builders

CALLING = {
    "format": 1,
    "steps": [
        {
            "id": "loop",
            "kind": "control.forEach",
            "path": "root.steps[0]",
            "config": {},
            "blocks": {
                "body": [
                    {
                        "id": "call",
                        "kind": "control.callWorkflow",
                        "path": "root.steps[0].body.steps[0]",
                        "config": {"workflowId": "other", "workflowVersion": 3},
                    }
                ]
            },
        }
    ],
}


def test_the_list_says_of_each_workflow_what_it_is(store: Store) -> None:
    of, _ = builders.published(store, "onboarding", name="b. Onboarding", concurrency_limit=3)
    builders.save(
        store,
        builders.version(of, 2),
        builders.run(of),
        builders.run(of, "WAITING"),
        builders.run(of, "FAILED"),
        builders.definition("draft", name="A. Draft", status="draft"),
        builders.definition("hidden", is_visible=False),
        builders.definition("paused", name="c. Paused", is_paused=True),
    )
    with store.reading() as session:
        rows = find_definitions.list_definitions(session)
    assert [row.key for row in rows] == ["draft", "onboarding", "paused"]
    assert [row.is_published for row in rows] == [False, True, False]
    assert (rows[1].version, rows[1].open_runs, rows[1].concurrency_limit) == (2, 2, 3)
    assert rows[1].published_at == builders.NOW
    assert rows[2].is_paused


def test_a_workflow_without_a_key_is_not_listed(store: Store) -> None:
    nameless = builders.definition()
    nameless.key = None
    builders.save(store, nameless)
    with store.reading() as session:
        assert find_definitions.list_definitions(session) == []


def test_versions_are_found_by_number_and_the_highest_is_the_latest(store: Store) -> None:
    of, _ = builders.published(store, "onboarding")
    builders.save(store, builders.version(of, 10), builders.version(of, 9))
    with store.reading() as session:
        latest = find_definitions.latest_version(session, of.workflow_id)
        assert latest is not None
        assert latest.version == 10
        assert find_definitions.version_numbered(session, of.workflow_id, 2) is None
        numbers = [row.version for row in find_definitions.list_versions(session, of.workflow_id)]
    assert numbers == [10, 9, 1]


@pytest.mark.parametrize("key", ["nothing", "", "a\0b", "\ud800", "x" * 100_000])
def test_an_unknown_key_is_not_found(store: Store, key: str) -> None:
    with store.reading() as session, pytest.raises(NotFound) as missed:
        find_definitions.find_definition(session, key)
    assert missed.value.code == "WORKFLOW_NOT_FOUND"
    assert len(missed.value.message) < 200


def test_the_checker_sees_what_is_published(store: Store) -> None:
    of, _ = builders.published(store, "caller", plan=CALLING)
    builders.save(
        store,
        builders.version(of, 2, payload_schema_json={"type": "object"}),
        builders.definition("draft", status="draft"),
    )
    with store.reading() as session:
        workflows = PublishedWorkflows(session)
        assert workflows.keys() == ["caller", "draft"]
        assert workflows.versions("caller") == [1, 2]
        assert workflows.versions("draft") == workflows.versions("nothing") == []
        first = workflows.find("caller", 1)
        newest = workflows.find("caller", None)
        assert workflows.find("caller", 3) is None
        assert workflows.find("draft", None) is None
        assert workflows.find("nothing", None) is None
    assert first is not None
    assert first.calls == (("other", 3),)
    assert newest is not None
    assert (newest.version, newest.payload_schema) == (2, {"type": "object"})
