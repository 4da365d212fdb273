"""Which runs a bulk operation is about is fixed first, and shown with what would happen to each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.services import draft_bulk, select_runs
from engine.services.context import Actor, Services
from engine.services.draft_bulk import draft_matching, draft_selected, forget_drafts
from engine.services.forecast_bulk import Forecast, forecast
from engine.services.run_filter import RunFilter
from engine.services.select_runs import (
    count_selected,
    deselect,
    keep_page,
    selected_among,
    selected_runs,
)
from engine.services.start_bulk import start_bulk
from engine.store.bulk import BulkKind
from engine.store.session import Store
from engine.store.tables import BulkOperation, WorkflowDefinition, WorkflowRun
from tests import builders, bulk
from tests.engine_fake import FakeEngine
from tests.run_cases import audits


@pytest.fixture
def ann(store: Store) -> Actor:
    return bulk.somebody(store)


def shown(services: Services, bulk_id: str) -> list[Forecast]:
    with services.store.reading() as session:
        return forecast(services, session, session.get_one(BulkOperation, bulk_id))


def of_selection(services: Services, actor: Actor) -> list[str]:
    assert actor.operator_id is not None
    with services.store.reading() as session:
        return selected_runs(session, actor.operator_id)


def test_a_page_keeps_what_is_ticked_and_drops_what_is_not(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    assert ann.operator_id is not None
    runs = bulk.open_runs(store, engine, 4)
    assert keep_page(services, ann.operator_id, runs[:2], runs[:2]) == 2
    assert keep_page(services, ann.operator_id, runs[2:], [runs[3]]) == 3
    assert keep_page(services, ann.operator_id, runs[:2], [runs[1]]) == 2
    assert of_selection(services, ann) == [runs[1], runs[3]]
    with store.reading() as session:
        assert selected_among(session, ann.operator_id, runs[:3]) == {runs[1]}
    other = bulk.somebody(store)
    assert of_selection(services, other) == []
    deselect(services, ann.operator_id)
    assert of_selection(services, ann) == []


def test_a_selection_has_a_limit_and_keeps_what_it_was(
    store: Store,
    engine: FakeEngine,
    services: Services,
    ann: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ann.operator_id is not None
    monkeypatch.setattr(select_runs, "MOST_SELECTED", 2)
    runs = bulk.open_runs(store, engine, 3)
    keep_page(services, ann.operator_id, runs[:2], runs[:2])
    with pytest.raises(Conflict) as refused:
        keep_page(services, ann.operator_id, runs, [runs[0], runs[1], runs[2]])
    assert refused.value.code == "SELECTION_FULL"
    with store.reading() as session:
        assert count_selected(session, ann.operator_id) == 2


def test_runs_that_do_not_exist_are_not_selected(
    store: Store, services: Services, ann: Actor
) -> None:
    assert ann.operator_id is not None
    assert keep_page(services, ann.operator_id, [], [builders.new_id()]) == 0
    with pytest.raises(Invalid) as refused:
        draft_selected(services, BulkKind.CANCEL, ann, [builders.new_id()])
    assert [problem.pointer for problem in refused.value.problems] == ["run"]


def test_what_a_filter_found_is_fixed_when_it_is_drafted(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    runs = bulk.open_runs(store, engine, 3)
    bulk_id = draft_matching(services, BulkKind.CANCEL, ann, RunFilter(), "status=RUNNING")
    bulk.open_runs(store, engine, 2)
    assert [one.run_id for one in shown(services, bulk_id)] == runs
    operation = bulk.operation(store, bulk_id)
    assert (operation.query, operation.left_out, operation.status) == (
        "status=RUNNING",
        False,
        "DRAFT",
    )


def test_more_than_one_operation_takes_is_said(
    store: Store,
    engine: FakeEngine,
    services: Services,
    ann: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draft_bulk, "MOST_ITEMS", 2)
    runs = bulk.open_runs(store, engine, 3)
    bulk_id = draft_matching(services, BulkKind.CANCEL, ann, RunFilter(), "")
    assert bulk.operation(store, bulk_id).left_out
    assert [one.run_id for one in shown(services, bulk_id)] == runs[:2]


def test_the_dry_run_of_a_cancel_says_what_happens_and_why_not(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    [going, asked, calling] = bulk.open_runs(store, engine, 3)
    [ended] = bulk.ended_runs(store, 1)
    with store.writing() as session:
        session.get_one(WorkflowRun, asked).cancel_requested_at = builders.NOW
        of = session.get_one(WorkflowRun, calling)
        called = session.get_one(WorkflowDefinition, of.workflow_id)
        session.add(builders.run(called, parent_run_id=calling))
    bulk_id = draft_selected(services, BulkKind.CANCEL, ann, [going, asked, calling, ended])
    says = {one.run_id: one for one in shown(services, bulk_id)}
    assert says[going].acts
    assert "already" in says[asked].says
    assert "the run that it called" in says[calling].says
    assert (says[ended].acts, says[ended].code) == (False, "RUN_ENDED")
    assert "FAILED" in says[ended].says
    assert engine.calls == []


def test_the_dry_run_of_a_replay_names_version_side_effects_and_refusals(
    store: Store, services: Services, ann: Actor
) -> None:
    [good] = bulk.ended_runs(store, 1)
    [gone] = bulk.ended_runs(store, 1)
    [paused] = bulk.ended_runs(store, 1)
    with store.writing() as session:
        old = session.get_one(WorkflowRun, good)
        for action in ["http.request", "http.request", "email.send", "log.write", "store.get"]:
            session.add(builders.invocation(old, "SUCCEEDED", action_id=action))
        session.add(builders.invocation(old, "FAILED", action_id="store.set"))
        session.get_one(WorkflowRun, gone).input_json = None
        of = session.get_one(WorkflowRun, paused).workflow_id
        session.get_one(WorkflowDefinition, of).is_paused = True
    bulk_id = draft_selected(services, BulkKind.REPLAY, ann, [good, gone, paused])
    says = {one.run_id: one for one in shown(services, bulk_id)}
    assert says[good].acts
    assert "version 1" in says[good].says
    assert says[good].again == (("http.request", 2), ("email.send", 1))
    assert (says[gone].acts, says[gone].code) == (False, "PAYLOAD_NOT_KEPT")
    assert (says[paused].acts, says[paused].code) == (False, "WORKFLOW_PAUSED")


def test_a_version_that_cannot_be_executed_here_is_skipped(
    store: Store, services: Services, ann: Actor
) -> None:
    [run_id] = bulk.ended_runs(store, 1, workflow_version=7)
    bulk_id = draft_selected(services, BulkKind.REPLAY, ann, [run_id])
    assert [one.code for one in shown(services, bulk_id)] == ["VERSION_NOT_FOUND"]


def test_a_start_counts_once_and_is_audited_as_one_operation(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    runs = bulk.open_runs(store, engine, 2)
    bulk_id = draft_selected(services, BulkKind.CANCEL, ann, runs)
    assert start_bulk(services, bulk_id, ann, "tidying up")
    assert not start_bulk(services, bulk_id, ann, "another reason")
    operation = bulk.operation(store, bulk_id)
    assert (operation.status, operation.reason) == ("STARTED", "tidying up")
    assert audits(store) == [("workflow_run_bulk_cancel done", bulk_id)]


def test_a_start_from_a_selection_empties_it(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    assert ann.operator_id is not None
    runs = bulk.open_runs(store, engine, 2)
    keep_page(services, ann.operator_id, runs, runs)
    bulk_id = draft_selected(services, BulkKind.CANCEL, ann)
    assert of_selection(services, ann) == runs
    start_bulk(services, bulk_id, ann, "tidying up")
    assert of_selection(services, ann) == []


def test_nothing_to_do_is_not_started(store: Store, services: Services, ann: Actor) -> None:
    bulk_id = draft_selected(services, BulkKind.CANCEL, ann, bulk.ended_runs(store, 2))
    with pytest.raises(Conflict) as refused:
        start_bulk(services, bulk_id, ann, "tidying up")
    assert refused.value.code == "NOTHING_TO_DO"
    assert bulk.operation(store, bulk_id).status == "DRAFT"


def test_another_operators_draft_is_not_started(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    bulk_id = draft_selected(services, BulkKind.CANCEL, ann, bulk.open_runs(store, engine, 1))
    with pytest.raises(Forbidden):
        start_bulk(services, bulk_id, bulk.somebody(store), "tidying up")
    with pytest.raises(NotFound):
        start_bulk(services, builders.new_id(), ann, "tidying up")


def test_a_draft_that_nobody_starts_is_forgotten_after_a_day(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    runs = bulk.open_runs(store, engine, 1)
    kept = bulk.started(services, "cancel", ann, runs)
    draft = draft_selected(services, BulkKind.CANCEL, ann, runs)
    with store.writing() as session:
        forget_drafts(session, builders.NOW + timedelta(hours=23))
        assert session.get(BulkOperation, draft) is not None
    with store.writing() as session:
        forget_drafts(session, builders.NOW + timedelta(hours=25))
    with store.reading() as session:
        assert session.get(BulkOperation, draft) is None
        assert session.get(BulkOperation, kept) is not None
