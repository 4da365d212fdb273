"""What a workflow says it has done becomes rows, once and in order (rules.md 4)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from engine.contract import (
    CheckpointToStore,
    ClosedWait,
    CloseWait,
    Finish,
    OpenWait,
    ValueWanted,
)
from engine.errors import NotFound, RunOver
from engine.runs.strict_json import canonical
from engine.services.context import Services
from engine.services.finish_run import finish_run
from engine.services.record_progress import record_progress
from engine.services.store_checkpoint import store_checkpoint
from engine.services.track_wait import close_wait, open_wait
from engine.services.values import PIECE_BYTES, fetch_value, keep, storable
from engine.store.session import Store
from engine.store.tables import (
    StoredValue,
    WorkflowActionInvocation,
    WorkflowRun,
    WorkflowRunStep,
    WorkflowRunWait,
)
from tests import builders
from tests.attempts import STARTED_AT, batch, guard, record
from tests.builders import NOW

WAIT_ID = "6f3d9c0a-3f57-4f0e-8a58-2c5b1f8e7d41"


@pytest.fixture
def run(store: Store) -> WorkflowRun:
    of, _ = builders.published(store)
    started = builders.run(of)
    builders.save(store, started)
    return started


@pytest.fixture
def services(store: Store) -> Services:
    return builders.services(store)


def rows(store: Store, table: Any, **where: Any) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(select(table).filter_by(**where)))


def row_of(store: Store, run: WorkflowRun) -> WorkflowRun:
    [row] = rows(store, WorkflowRun, run_id=run.run_id)
    return row


def step_of(store: Store, **where: Any) -> WorkflowRunStep:
    [row] = rows(store, WorkflowRunStep, **where)
    return row


class TestSteps:
    def test_a_batch_makes_rows_and_making_them_again_changes_nothing(
        self, services: Services, run: WorkflowRun
    ) -> None:
        wanted = batch(
            run,
            record(output={"a": 1}, name="Set a"),
            record(path="root.steps[1]", position=2, iter=[3, 1], status="STARTED"),
        )
        record_progress(services, wanted)
        before = [vars(row) for row in rows(services.store, WorkflowRunStep)]
        record_progress(services, wanted)

        after = [vars(row) for row in rows(services.store, WorkflowRunStep)]
        for one in (*before, *after):
            one.pop("_sa_instance_state")
        assert before == after
        assert {row["occurrence"] for row in after} == {"root.steps[0]", "root.steps[1]#3,1"}
        assert {row["duration_ms"] for row in after} == {5, None}

    @pytest.mark.parametrize("earlier", ["SUCCEEDED", "FAILED", "CANCELED", "RETRY_SCHEDULED"])
    def test_a_row_does_not_move_back(
        self, services: Services, run: WorkflowRun, earlier: str
    ) -> None:
        record_progress(services, batch(run, record(earlier, output={"a": 1})))
        later = guard(history=9, completed=3)
        record_progress(services, batch(run, record("STARTED"), guard=later))

        assert step_of(services.store).status == earlier
        assert step_of(services.store).output_json == {"a": 1}

    def test_a_later_record_without_an_input_keeps_the_earlier_one(
        self, services: Services, run: WorkflowRun
    ) -> None:
        record_progress(services, batch(run, record("STARTED", input={"items": 3})))
        record_progress(services, batch(run, record("SUCCEEDED", output={"done": 3})))

        row = step_of(services.store)
        assert (row.status, row.input_json, row.output_json) == (
            "SUCCEEDED",
            {"items": 3},
            {"done": 3},
        )

    def test_of_two_ends_the_later_tasks_counts_in_whatever_order_they_are_written(
        self, services: Services, run: WorkflowRun
    ) -> None:
        lost = batch(run, record("SUCCEEDED"), guard=guard(history=9, completed=3))
        true = batch(run, record("CANCELED"), guard=guard(history=12, completed=3))
        record_progress(services, lost)
        record_progress(services, true)
        record_progress(services, lost)

        assert step_of(services.store).status == "CANCELED"

    def test_what_only_a_lost_task_did_is_shown_as_superseded(
        self, services: Services, run: WorkflowRun
    ) -> None:
        record_progress(services, batch(run, record("STARTED")))
        lost = guard(history=9, completed=3)
        record_progress(
            services,
            batch(run, record(path="root.steps[1]", position=2), guard=lost, first_position=1),
        )
        record_progress(
            services,
            batch(
                run,
                record(path="root.steps[2]", position=2),
                guard=guard(history=12, completed=3),
                first_position=1,
            ),
        )

        superseded = {
            row.step_path: row.superseded for row in rows(services.store, WorkflowRunStep)
        }
        assert superseded == {
            "root.steps[0]": False,
            "root.steps[1]": True,
            "root.steps[2]": False,
        }

    def test_rows_of_completed_tasks_are_never_superseded(
        self, services: Services, run: WorkflowRun
    ) -> None:
        for index, history in enumerate((3, 9, 15, 21)):
            record_progress(
                services,
                batch(
                    run,
                    record(path=f"root.steps[{index}]", position=index + 1),
                    guard=guard(history=history, completed=max(0, history - 6)),
                    first_position=index,
                ),
            )

        assert not any(row.superseded for row in rows(services.store, WorkflowRunStep))

    def test_a_superseded_row_may_begin_anew(self, services: Services, run: WorkflowRun) -> None:
        lost = guard(history=9, completed=3)
        record_progress(services, batch(run, record("SUCCEEDED", output={"a": 1}), guard=lost))
        again = guard(history=12, completed=3)
        record_progress(
            services, batch(run, record("STARTED", started_at=STARTED_AT + 9), guard=again)
        )

        row = step_of(services.store)
        assert (row.status, row.superseded) == ("STARTED", False)
        assert (row.output_json, row.completed_at) == (None, None)

    def test_a_large_output_is_stored_apart(self, services: Services, run: WorkflowRun) -> None:
        record_progress(services, batch(run, record(output={"text": "x" * 70_000})))

        [value] = rows(services.store, StoredValue)
        assert step_of(services.store).output_json == {
            "$ref": value.value_id,
            "bytes": value.size_bytes,
        }

    def test_texts_that_postgresql_refuses_are_written_all_the_same(
        self, services: Services, run: WorkflowRun
    ) -> None:
        record_progress(services, batch(run, record(output={"a\x00": ["\ud800", "ok"]})))

        assert step_of(services.store).output_json == {"a\ufffd": ["\ufffd", "ok"]}


class TestTheRunsRow:
    def test_a_flush_says_where_the_run_stands(self, services: Services, run: WorkflowRun) -> None:
        record_progress(services, batch(run, path="root.steps[4]", state="sending"))

        row = row_of(services.store, run)
        assert (row.node_path, row.state_label, row.status) == (
            "root.steps[4]",
            "sending",
            "RUNNING",
        )

    def test_an_older_batch_does_not_overwrite_a_newer_one(
        self, services: Services, run: WorkflowRun
    ) -> None:
        newer = batch(run, path="root.steps[5]", guard=guard(history=9, counter=1))
        record_progress(services, newer)
        for older in (guard(history=3, counter=8), guard(history=9, counter=0)):
            record_progress(services, batch(run, path="root.steps[4]", guard=older))

        assert row_of(services.store, run).node_path == "root.steps[5]"

    def test_the_next_execution_begins_its_history_anew(
        self, services: Services, run: WorkflowRun
    ) -> None:
        record_progress(services, batch(run, path="root.steps[5]", guard=guard(history=900)))
        later = guard(history=3, ordinal=1)
        record_progress(services, batch(run, path="root.steps[6]", guard=later))

        assert row_of(services.store, run).node_path == "root.steps[6]"

    def test_a_run_that_is_over_takes_nothing_more(
        self, services: Services, run: WorkflowRun
    ) -> None:
        finish_run(services, Finish(run.run_id, batch(run), "CANCELED"))

        answer = record_progress(services, batch(run, record()))

        assert answer.run_over
        assert rows(services.store, WorkflowRunStep) == []

    def test_a_run_without_a_row_is_over(self, services: Services, run: WorkflowRun) -> None:
        gone = replace(batch(run), run_id=builders.new_id())

        assert record_progress(services, gone).run_over

    def test_a_requested_cancel_asks_for_a_boundary(
        self, services: Services, run: WorkflowRun
    ) -> None:
        assert not record_progress(services, batch(run)).take_boundary
        with services.store.writing() as session:
            session.execute(update(WorkflowRun).values(cancel_requested_at=NOW))

        assert record_progress(services, batch(run)).take_boundary


def a_wait(run: WorkflowRun, **fields: Any) -> OpenWait:
    defaults: dict[str, Any] = {
        "run_id": run.run_id,
        "batch": batch(run),
        "wait_id": WAIT_ID,
        "position": 1,
        "step_id": "pause",
        "path": "root.steps[0]",
        "iter": [],
        "attempt": 1,
        "kind": "time.wait",
        "wait_type": "time",
        "started_at": STARTED_AT,
        "timeout_at": STARTED_AT + 60_000,
        "payload": {"mode": "duration"},
    }
    return OpenWait(**defaults | fields)


class TestWaits:
    def test_an_open_wait_makes_the_run_wait(self, services: Services, run: WorkflowRun) -> None:
        for _ in range(2):
            open_wait(services, a_wait(run))

        [wait] = rows(services.store, WorkflowRunWait)
        assert (wait.status, wait.wait_type, wait.payload) == (
            "WAITING",
            "time",
            {"mode": "duration"},
        )
        assert wait.timeout_at == NOW + timedelta(minutes=1)
        assert row_of(services.store, run).status == "WAITING"
        assert step_of(services.store).status == "STARTED"

    def test_a_wait_beside_something_that_runs_does_not(
        self, services: Services, run: WorkflowRun
    ) -> None:
        open_wait(services, a_wait(run, run_waits=False))

        assert row_of(services.store, run).status == "RUNNING"

    def test_the_next_batch_closes_it_and_the_run_runs(
        self, services: Services, run: WorkflowRun
    ) -> None:
        open_wait(services, a_wait(run))
        closed = ClosedWait(WAIT_ID, "RESOLVED", STARTED_AT + 60_000, {"resolvedAt": "then"})
        record_progress(services, batch(run, closed_waits=[closed], guard=guard(history=9)))

        [wait] = rows(services.store, WorkflowRunWait)
        assert (wait.status, wait.resolved_at) == ("RESOLVED", NOW + timedelta(minutes=1))
        assert wait.payload == {"mode": "duration", "resolvedAt": "then"}
        assert row_of(services.store, run).status == "RUNNING"

    def test_one_that_is_followed_by_another_leaves_the_run_waiting(
        self, services: Services, run: WorkflowRun
    ) -> None:
        open_wait(services, a_wait(run))
        closed = ClosedWait(WAIT_ID, "RESOLVED", STARTED_AT)
        later = batch(run, closed_waits=[closed], guard=guard(history=9))
        open_wait(services, a_wait(run, batch=later, wait_id=builders.new_id(), iter=[1]))

        assert row_of(services.store, run).status == "WAITING"
        assert len(rows(services.store, WorkflowRunWait, status="WAITING")) == 1

    def test_it_can_be_closed_at_once(self, services: Services, run: WorkflowRun) -> None:
        open_wait(services, a_wait(run))
        close_wait(
            services,
            CloseWait(run.run_id, batch(run, guard=guard(history=9)), WAIT_ID, "RESOLVED"),
        )

        assert rows(services.store, WorkflowRunWait, status="WAITING") == []
        assert row_of(services.store, run).status == "RUNNING"

    def test_all_branches_waiting_is_told_beside_any_wait(
        self, services: Services, run: WorkflowRun
    ) -> None:
        record_progress(services, batch(run, waiting=True))

        assert row_of(services.store, run).status == "WAITING"


class TestTheEnd:
    def test_it_is_written_once(self, services: Services, run: WorkflowRun) -> None:
        error = {"category": "ActionError", "message": "no\x00"}
        first = finish_run(services, Finish(run.run_id, batch(run, record()), "FAILED", error))
        second = finish_run(services, Finish(run.run_id, batch(run), "SUCCEEDED"))

        assert (first.status, second.status) == ("FAILED", "FAILED")
        row = row_of(services.store, run)
        assert (row.status, row.completed_at, row.node_path) == ("FAILED", NOW, None)
        assert row.error_json == {"category": "ActionError", "message": "no\ufffd"}
        assert step_of(services.store).status == "SUCCEEDED"

    def test_what_is_open_is_closed_with_it(self, services: Services, run: WorkflowRun) -> None:
        builders.save(services.store, builders.invocation(run))
        open_wait(services, a_wait(run))
        again = record("RETRY_SCHEDULED", path="root.steps[1]", next_retry_at=STARTED_AT + 500)
        repeated = record("RETRY_SCHEDULED", path="root.steps[2]", position=3)
        next_one = record("SUCCEEDED", path="root.steps[2]", position=4, attempt=2)
        finish_run(
            services,
            Finish(run.run_id, batch(run, again, repeated, next_one), "CANCELED"),
        )

        steps = {
            (row.step_path, row.attempt): row.status
            for row in rows(services.store, WorkflowRunStep)
        }
        assert steps == {
            ("root.steps[0]", 1): "CANCELED",
            ("root.steps[1]", 1): "CANCELED",
            ("root.steps[2]", 1): "RETRY_SCHEDULED",
            ("root.steps[2]", 2): "SUCCEEDED",
        }
        assert rows(services.store, WorkflowRunWait, status="WAITING") == []
        assert rows(services.store, WorkflowActionInvocation, status="STARTED") == []

    def test_a_waiting_run_can_end(self, services: Services, run: WorkflowRun) -> None:
        open_wait(services, a_wait(run))

        assert finish_run(services, Finish(run.run_id, batch(run), "SUCCEEDED")).status == (
            "SUCCEEDED"
        )

    def test_a_run_without_a_row_ends_as_it_says(
        self, services: Services, run: WorkflowRun
    ) -> None:
        gone = builders.new_id()
        finish = Finish(gone, replace(batch(run), run_id=gone), "SUCCEEDED")

        assert finish_run(services, finish).status == "SUCCEEDED"


class TestValues:
    def test_a_checkpoint_is_kept_with_what_was_done_before_it(
        self, services: Services, run: WorkflowRun
    ) -> None:
        wanted = CheckpointToStore(run.run_id, batch(run, record()), {"scopes": [1]})
        reference = store_checkpoint(services, wanted)

        piece = fetch_value(services, ValueWanted(run.run_id, reference["$ref"]))
        assert (json.loads(piece.text), piece.next_offset) == ({"scopes": [1]}, None)
        assert step_of(services.store).status == "SUCCEEDED"

    def test_a_run_that_is_over_keeps_none(self, services: Services, run: WorkflowRun) -> None:
        finish_run(services, Finish(run.run_id, batch(run), "CANCELED"))

        with pytest.raises(RunOver):
            store_checkpoint(services, CheckpointToStore(run.run_id, batch(run), {}))

    def test_a_value_comes_back_in_pieces_that_travel(
        self, services: Services, run: WorkflowRun
    ) -> None:
        value = {"text": "aé漢😀" * 300_000}
        with services.store.writing() as session:
            value_id = keep(session, run.run_id, value, NOW)["$ref"]
        pieces, offset = [], 0
        while True:
            piece = fetch_value(services, ValueWanted(run.run_id, value_id, offset))
            assert len(piece.text.encode()) <= PIECE_BYTES
            pieces.append(piece.text)
            if piece.next_offset is None:
                break
            offset = piece.next_offset

        assert len(pieces) > 2
        assert "".join(pieces) == canonical(value)

    def test_a_value_that_is_gone_is_not_found(self, services: Services, run: WorkflowRun) -> None:
        with pytest.raises(NotFound):
            fetch_value(services, ValueWanted(run.run_id, "nothing"))

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )

    @given(value=json_values)
    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    def test_whatever_an_expression_makes_can_be_written(
        self, services: Services, run: WorkflowRun, value: Any
    ) -> None:
        path = f"root.steps[{builders.new_id()}]"
        record_progress(services, batch(run, record(path=path, output={"v": value})))

        kept, _ = storable(value)
        stored = step_of(services.store, step_path=path).output_json["v"]
        assert canonical(stored) == canonical(kept)
