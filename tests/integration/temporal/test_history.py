"""What a run does not cost in history, and how it goes on in a new one (docs/rules.md 3 and 4)."""

from __future__ import annotations

import json

import pytest
from temporalio.client import WorkflowHistory

from engine.contract import temporal_workflow_id
from engine.gateway.connect import LazyConnection
from engine.gateway.histories import TemporalHistories, history_key
from tests.steps import act, assign, chain, loop, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal


def test_control_and_pure_steps_cost_no_activity(worked: Studio) -> None:
    run = worked.execute(loop("each", "[1..20]", assign("note", last="item")))

    events = worked.events(run.run_id)
    assert run.status == "SUCCEEDED", run.error_json
    assert events.count("ACTIVITY_TASK_SCHEDULED") == 1
    assert events.count("MARKER_RECORDED") == 1
    assert len(worked.steps(run.run_id)) == 21


def test_the_history_does_not_grow_with_what_a_step_does_not_touch(worked: Studio) -> None:
    of = worked.publish(*chain(10, "once"))
    small, large = worked.start(of, {"text": ""}), worked.start(of, {"text": "x" * 200_000})
    for run_id in (small, large):
        worked.ended(run_id)

    sizes = [worked.history(run_id).to_json().__len__() for run_id in (small, large)]
    # Once, in the claim's answer, as base64.
    assert sizes[1] - sizes[0] < 1.5 * 200_000


def test_a_large_state_goes_on_by_reference(low: Studio) -> None:
    steps = [*chain(10, "once"), assign("end", size="len(payload.text)")]
    run_id = low.start(low.publish(*steps), {"text": "x" * 300_000})
    run = low.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert run.progress_ordinal >= 1
    assert low.steps(run_id, definition_step_id="end")[0].output_json == {"vars.size": 300_000}


def test_each_execution_of_a_run_that_went_on_is_exported_and_replayed(low: Studio) -> None:
    secret = "CANARY-4711"
    run_id = low.start(low.publish(*chain(20, "once")), {"text": secret})
    ordinal = low.ended(run_id).progress_ordinal
    workflow_id = temporal_workflow_id(run_id)
    gateway = TemporalHistories(LazyConnection(low.options), history_key(None, "a secret"))

    histories = gateway.histories_of(workflow_id, most_bytes=10_000_000)
    assert histories is not None
    assert len(histories) == ordinal + 1 > 1
    exported = json.loads(json.dumps([one.as_json() for one in histories]))
    assert [one.failure for one in gateway.rehearse(exported)] == [None] * len(histories)
    first = low.history(run_id, exported[0]["temporalRunId"])
    assert _holds(first, secret)
    for each in exported:
        assert not _holds(WorkflowHistory.from_json(workflow_id, each["history"]), secret)

    assert gateway.histories_of(workflow_id, most_bytes=1000) is None
    assert gateway.histories_of("run-unknown", most_bytes=1000) == []


def _holds(history: WorkflowHistory, text: str) -> bool:
    return any(text.encode() in event.SerializeToString() for event in history.events)


def test_a_cancel_ends_the_execution_that_went_on(low: Studio) -> None:
    run_id = low.start(low.publish(*chain(9, "once"), wait("pause")))
    low.eventually(lambda: low.run(run_id).status == "WAITING")
    assert low.run(run_id).progress_ordinal >= 1
    low.cancel(run_id)

    assert low.ended(run_id).status == "CANCELED"
    assert low.temporal_status(run_id) == "CANCELED"


def test_the_same_on_postgresql(on_postgres: Studio) -> None:
    run = on_postgres.execute(
        *chain(5, "quick"), act("send", "once"), wait("pause", 50), loop("each", "[1, 2]", act("q"))
    )

    assert run.status == "SUCCEEDED", run.error_json
    assert {status for _, _, status in on_postgres.outline(run.run_id)} == {"SUCCEEDED"}
