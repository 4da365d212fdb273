"""What a workflow says it has done becomes rows, once and in order (docs/rules.md 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from engine.contract import (
    Finish,
)
from engine.services.context import Services
from engine.services.finish_run import finish_run
from engine.services.record_progress import record_progress
from engine.store.tables import (
    StoredValue,
    WorkflowRun,
    WorkflowRunStep,
)
from tests import builders
from tests.attempts import STARTED_AT, batch, guard, record
from tests.builders import NOW
from tests.integration.store.recorded import row_of, rows, step_of


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
            before = max(0, history - 6)
            now = guard(history, completed=before, task=history * 10, completed_task=before * 10)
            record_progress(
                services,
                batch(
                    run,
                    record(path=f"root.steps[{index}]", position=index + 1),
                    guard=now,
                    first_position=max(0, index - 1),
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
