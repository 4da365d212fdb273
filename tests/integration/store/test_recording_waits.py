"""Waits, the end of a run and large values, as rows (docs/rules.md 4)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.contract import (
    CheckpointToStore,
    ClosedWait,
    Finish,
    ValueWanted,
)
from engine.errors import NotFound, RunOver
from engine.runs.strict_json import canonical
from engine.services.context import Services
from engine.services.finish_run import finish_run
from engine.services.record_progress import record_progress
from engine.services.store_checkpoint import store_checkpoint
from engine.services.take_quota import QuotaLimit
from engine.services.track_wait import open_wait
from engine.services.values import PIECE_BYTES, fetch_value, keep, storable
from engine.store.tables import (
    WorkflowActionInvocation,
    WorkflowRun,
    WorkflowRunStep,
    WorkflowRunWait,
)
from tests import builders
from tests.attempts import STARTED_AT, batch, guard, record
from tests.builders import NOW
from tests.integration.store.recorded import WAIT_ID, a_wait, row_of, rows, step_of


class TestWaits:
    def test_an_open_wait_makes_the_run_wait(self, services: Services, run: WorkflowRun) -> None:
        for _ in range(2):
            open_wait(services, QuotaLimit(), a_wait(run))

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
        open_wait(services, QuotaLimit(), a_wait(run, run_waits=False))

        assert row_of(services.store, run).status == "RUNNING"

    def test_the_next_batch_closes_it_and_the_run_runs(
        self, services: Services, run: WorkflowRun
    ) -> None:
        open_wait(services, QuotaLimit(), a_wait(run))
        closed = ClosedWait(WAIT_ID, "RESOLVED", STARTED_AT + 60_000, {"resolvedAt": "then"})
        record_progress(services, batch(run, closed_waits=[closed], guard=guard(history=9)))

        [wait] = rows(services.store, WorkflowRunWait)
        assert (wait.status, wait.resolved_at) == ("RESOLVED", NOW + timedelta(minutes=1))
        assert wait.payload == {"mode": "duration", "resolvedAt": "then"}
        assert row_of(services.store, run).status == "RUNNING"

    def test_one_that_is_followed_by_another_leaves_the_run_waiting(
        self, services: Services, run: WorkflowRun
    ) -> None:
        open_wait(services, QuotaLimit(), a_wait(run))
        closed = ClosedWait(WAIT_ID, "RESOLVED", STARTED_AT)
        later = batch(run, closed_waits=[closed], guard=guard(history=9))
        open_wait(
            services, QuotaLimit(), a_wait(run, batch=later, wait_id=builders.new_id(), iter=[1])
        )

        assert row_of(services.store, run).status == "WAITING"
        assert len(rows(services.store, WorkflowRunWait, status="WAITING")) == 1

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
        open_wait(services, QuotaLimit(), a_wait(run))
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
        open_wait(services, QuotaLimit(), a_wait(run))

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
