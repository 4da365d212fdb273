"""store.* on both databases: revisions, null, concurrent increments, and roll-back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from engine.actions.action import ActionContext
from engine.actions.perform import perform, prepare
from engine.actions.registry import default_registry
from engine.actions.secrets import Secrets
from engine.errors import Category, StepFailed
from engine.store.data_store import WorkflowDataStore
from engine.store.session import Store

RUN = str(uuid4())
REGISTRY = default_registry(plugins=[])


def call(store: Store, name: str, **fields: Any) -> Any:
    """One action in one transaction, as the worker does it."""
    action = REGISTRY.get(f"store.{name}", 1)
    secrets = Secrets({}).opened()
    prepared = prepare(action, {"namespace": "n", "key": "k", **fields}, secrets)
    with store.writing() as session:
        context = ActionContext(
            run_id=RUN,
            idempotency_key="i",
            now=datetime(2026, 6, 9, 12, tzinfo=UTC),
            session=session,
        )
        return perform(action, prepared, context, secrets)


def failure(store: Store, name: str, **fields: Any) -> StepFailed:
    with pytest.raises(StepFailed) as failed:
        call(store, name, **fields)
    return failed.value


VALUES = [
    None, True, False, 0, -1, 2**60, 0.5, "", "ü🙂e\u0301", [], {}, [None, {"v": None}],
    {"v": 1}, {"b": 1, "a": {"": [1.5]}},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_was_set_is_read_back(store: Store, value: Any) -> None:
    assert call(store, "set", value=value) == {"revision": 1}
    assert call(store, "get") == {"found": True, "value": value, "revision": 1}


def test_nothing_there_is_not_null(store: Store) -> None:
    assert call(store, "get") == {"found": False, "value": None, "revision": None}
    call(store, "set", value=None)
    assert call(store, "get")["found"] is True


def test_each_change_adds_one_to_the_revision(store: Store) -> None:
    assert [call(store, "set", value=n)["revision"] for n in range(3)] == [1, 2, 3]
    assert call(store, "get") == {"found": True, "value": 2, "revision": 3}


def test_names_are_apart(store: Store) -> None:
    call(store, "set", value=1)
    call(store, "set", value=2, namespace="other")
    call(store, "set", value=3, key="other")
    assert call(store, "get")["value"] == 1
    assert call(store, "get", namespace="N")["found"] is False


def test_an_expected_revision_must_be_the_one_there(store: Store) -> None:
    assert call(store, "set", value="a", expectedRevision=0) == {"revision": 1}
    assert call(store, "set", value="b", expectedRevision=1) == {"revision": 2}
    failed = failure(store, "set", value="c", expectedRevision=1)
    assert (failed.category, failed.code) == (Category.ACTION, "REVISION_CONFLICT")
    assert failed.details == {"expectedRevision": 1, "revision": 2}
    assert call(store, "get") == {"found": True, "value": "b", "revision": 2}


def test_expected_revision_0_only_creates(store: Store) -> None:
    call(store, "set", value="a")
    failed = failure(store, "set", value="b", expectedRevision=0)
    assert failed.details == {"expectedRevision": 0, "revision": 1}
    call(store, "delete")
    failed = failure(store, "set", value="b", expectedRevision=1)
    assert failed.details == {"expectedRevision": 1, "revision": None}
    assert call(store, "set", value="b", expectedRevision=0) == {"revision": 1}


def test_delete_says_whether_something_was_there(store: Store) -> None:
    call(store, "set", value=1)
    assert call(store, "delete") == {"deleted": True}
    assert call(store, "delete") == {"deleted": False}
    assert call(store, "get")["found"] is False


def test_increment_counts_from_0_by_1(store: Store) -> None:
    assert call(store, "increment") == {"value": 1, "revision": 1}
    assert call(store, "increment") == {"value": 2, "revision": 2}
    assert call(store, "increment", by=-5) == {"value": -3, "revision": 3}
    assert call(store, "increment", by=0.5) == {"value": -2.5, "revision": 4}
    assert call(store, "increment", by=0.5) == {"value": -2, "revision": 5}


@pytest.mark.parametrize("value", [None, "5", True, [1], {"v": 1}])
def test_increment_of_what_is_no_number_fails_and_changes_nothing(store: Store, value: Any) -> None:
    call(store, "set", value=value)
    failed = failure(store, "increment")
    assert (failed.category, failed.code) == (Category.ACTION, "NOT_A_NUMBER")
    assert call(store, "get") == {"found": True, "value": value, "revision": 1}


def test_sums_are_the_same_on_both_databases(store: Store) -> None:
    for _ in range(3):
        total = call(store, "increment", by=0.1)
    assert total["value"] == 0.1 + 0.1 + 0.1
    call(store, "set", key="big", value=2**62)
    assert call(store, "increment", key="big", by=2**62)["value"] == 2**63
    assert call(store, "get", key="big")["value"] == 2**63


def test_a_sum_that_cannot_be_kept_exactly_is_refused(store: Store) -> None:
    call(store, "set", value=2**53)
    assert failure(store, "increment", by=0.5).code == "OUT_OF_RANGE"
    assert call(store, "get")["revision"] == 1


@pytest.mark.parametrize(
    "fields",
    [{"namespace": ""}, {"key": ""}, {"key": "k" * 257}, {"namespace": None},
     {"expectedRevision": None}, {"expectedRevision": -1}, {"expectedRevision": "1"}],
    ids=str,
)  # fmt: skip
def test_a_wrong_input_is_a_validation_error(store: Store, fields: dict[str, Any]) -> None:
    assert failure(store, "set", value=1, **fields).category is Category.VALIDATION


def test_a_value_above_256_kib_is_refused(store: Store) -> None:
    assert call(store, "set", value="x" * (256 * 1024 - 2))
    failed = failure(store, "set", value="x" * (256 * 1024 - 1))
    assert (failed.category, failed.code) == (Category.VALIDATION, "VALUE_TOO_LARGE")


def test_concurrent_increments_lose_none(store: Store) -> None:
    def work() -> None:
        for _ in range(10):
            call(store, "increment")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert call(store, "get") == {"found": True, "value": 40, "revision": 40}


def test_of_concurrent_creators_one_wins(store: Store) -> None:
    won: list[int] = []

    def work(number: int) -> None:
        try:
            call(store, "set", value=number, expectedRevision=0)
        except StepFailed:
            return
        won.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [call(store, "get")["value"]] == won


def test_what_is_rolled_back_was_never_stored(store: Store) -> None:
    class Lost(Exception):
        pass

    action, secrets = REGISTRY.get("store.increment", 1), Secrets({}).opened()
    prepared = prepare(action, {"namespace": "n", "key": "k"}, secrets)
    with pytest.raises(Lost), store.writing() as session:  # noqa: PT012
        context = ActionContext(
            run_id=RUN, idempotency_key="i", now=datetime.now(UTC), session=session
        )
        assert perform(action, prepared, context, secrets) == {"value": 1, "revision": 1}
        raise Lost
    assert call(store, "get")["found"] is False


def test_a_row_says_which_run_made_it_and_when_it_changed(store: Store) -> None:
    call(store, "set", value=1)
    with store.reading() as session:
        row = session.scalars(select(WorkflowDataStore)).one()
    assert row.created_by_run_id == RUN
    assert row.updated_at == datetime(2026, 6, 9, 12, tzinfo=UTC)


def test_the_actions_of_our_database_are_local_and_exactly_once() -> None:
    for name in ("log.write", "store.get", "store.set", "store.delete", "store.increment"):
        action = REGISTRY.get(name, 1)
        assert action.in_transaction
        assert action.spec.local
    for name in ("http.request", "email.send"):
        assert not REGISTRY.get(name, 1).spec.local
