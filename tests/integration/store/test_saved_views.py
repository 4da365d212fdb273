"""Views of the runs list belong to one operator, and have names that tell them apart."""

from __future__ import annotations

import pytest

from engine.errors import Conflict, Invalid, NotFound
from engine.services import saved_views
from engine.services.context import Services
from engine.services.saved_views import (
    LONGEST_NAME,
    LONGEST_QUERY,
    default_query,
    delete_view,
    make_default,
    rename_view,
    save_view,
    views_of,
)
from engine.store.session import Store
from tests import bulk


@pytest.fixture
def ann(store: Store) -> str:
    return str(bulk.somebody(store).operator_id)


def names(services: Services, operator_id: str) -> list[str]:
    with services.store.reading() as session:
        return [view.name for view in views_of(session, operator_id)]


def opens_with(services: Services, operator_id: str) -> str | None:
    with services.store.reading() as session:
        return default_query(session, operator_id)


def test_saved_renamed_and_deleted(store: Store, services: Services, ann: str) -> None:
    first = save_view(services, ann, "  failed today ", "status=FAILED&last=24h")
    save_view(services, ann, "Approvals", "status=WAITING")
    assert names(services, ann) == ["Approvals", "failed today"]
    rename_view(services, ann, first, "Broken")
    assert names(services, ann) == ["Approvals", "Broken"]
    delete_view(services, ann, first)
    assert names(services, ann) == ["Approvals"]


def test_one_view_at_most_is_the_default(services: Services, ann: str) -> None:
    assert opens_with(services, ann) is None
    save_view(services, ann, "a", "status=FAILED", default=True)
    second = save_view(services, ann, "b", "status=WAITING", default=True)
    assert opens_with(services, ann) == "status=WAITING"
    make_default(services, ann, None)
    assert opens_with(services, ann) is None
    make_default(services, ann, second)
    assert opens_with(services, ann) == "status=WAITING"


def test_another_operators_views_are_not_found(store: Store, services: Services, ann: str) -> None:
    view = save_view(services, ann, "mine", "")
    bob = str(bulk.somebody(store).operator_id)
    save_view(services, bob, "mine", "")
    for act in (
        lambda: rename_view(services, bob, view, "x"),
        lambda: delete_view(services, bob, view),
        lambda: make_default(services, bob, view),
        lambda: delete_view(services, ann, "no id"),
    ):
        with pytest.raises(NotFound):
            act()
    assert names(services, ann) == ["mine"]


@pytest.mark.parametrize("name", ["", "   ", "x" * (LONGEST_NAME + 1), "a\x00b", "\ud800"])
def test_a_name_that_cannot_be_kept_is_a_problem_of_the_field(
    services: Services, ann: str, name: str
) -> None:
    with pytest.raises(Invalid) as refused:
        save_view(services, ann, name, "")
    assert {problem.pointer for problem in refused.value.problems} == {"name"}


def test_a_name_that_is_taken_is_a_problem_of_the_field(services: Services, ann: str) -> None:
    save_view(services, ann, "mine", "")
    other = save_view(services, ann, "other", "")
    for act in (
        lambda: save_view(services, ann, "mine", "x=1"),
        lambda: rename_view(services, ann, other, "mine"),
    ):
        with pytest.raises(Invalid) as refused:
            act()
        assert refused.value.code == "NAME_TAKEN"


def test_there_are_limits(services: Services, ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        save_view(services, ann, "long", "x" * (LONGEST_QUERY + 1))
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 2)
    save_view(services, ann, "a", "")
    save_view(services, ann, "b", "")
    with pytest.raises(Conflict) as refused:
        save_view(services, ann, "c", "")
    assert refused.value.code == "TOO_MANY_VIEWS"
