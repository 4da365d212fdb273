"""Workflow tasks end in time: however much is executed, and at what cost in history (rules.md 3).

A chain of local activities is one workflow task unless the host ends it: without care its results
together exceed what Temporal takes, and pure work exceeds the time that a task has.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.contract import temporal_workflow_id
from tests.steps import act, assign, chain, loop, try_catch
from tests.studio import Studio

pytestmark = pytest.mark.temporal

TASK_S = 1.0
"""No workflow task may take longer (docs/rules.md 10); at 2 s the SDK calls it a deadlock."""

MEMORY = 300 * 1024**2
HISTORY = 1_000
"""Events of the 10,000 items' one execution; Temporal suggests to continue as new at 4,096."""

"""Events after which the second server suggests to continue as new."""


def task_times_s(studio: Studio, run_id: str) -> list[float]:
    """How long each workflow task took, by the times of its events."""
    started: dict[int, Any] = {}
    times = []
    for event in studio.history(run_id).events:
        if event.HasField("workflow_task_started_event_attributes"):
            started[event.event_id] = event.event_time.ToDatetime()
        elif event.HasField("workflow_task_completed_event_attributes"):
            begun = event.workflow_task_completed_event_attributes.started_event_id
            times.append((event.event_time.ToDatetime() - started[begun]).total_seconds())
    return times


def test_results_of_more_than_4_mib_together(worked: Studio) -> None:
    """Each too small to be stored apart, all together too many for one task."""
    run = worked.execute(*chain(100, bytes=60_000))
    assert run.status == "SUCCEEDED", run.error_json
    assert "WORKFLOW_TASK_FAILED" not in worked.events(run.run_id)
    assert len(worked.steps(run.run_id, status="SUCCEEDED")) == 100
    assert set(Counter(worked.effects()).values()) == {1}


def test_quick_steps_cost_two_events_at_most_and_regular_ones_six(worked: Studio) -> None:
    def events(*steps: dict[str, Any]) -> int:
        run = worked.execute(*steps)
        assert run.status == "SUCCEEDED", run.error_json
        return len(worked.events(run.run_id))

    none = events()
    assert events(*chain(100)) - none <= 2 * 100
    assert events(*chain(4, "once")) - none == 6 * 4


def most_memory(process_id: int) -> int:
    """The most bytes that the process has ever held."""
    status = Path(f"/proc/{process_id}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def test_no_task_of_10_000_items_with_three_expressions_each_takes_over_a_second(
    studio: Studio,
) -> None:
    """In a process of its own: what it holds is what a worker holds."""
    with studio.worker_process() as process:
        run_id = loop_over(studio, 10_000)
        assert most_memory(process.pid) < MEMORY
    assert len(studio.events(run_id)) < HISTORY


def loop_over(worked: Studio, items: int) -> str:
    body = assign("count", total="vars.total + thing", last="index", even="thing % 2 = 0")
    of = worked.publish(
        assign("begin", total="0"),
        loop("each", "payload.many", body),
        try_catch("guard", [act("done", "quick")], []),
    )
    run_id = worked.start(of, {"many": list(range(items))})
    run = worked.ended(run_id, 120)
    assert run.status == "SUCCEEDED", run.error_json
    times = task_times_s(worked, run_id)
    assert max(times) < TASK_S, sorted(times)[-5:]
    assert "WORKFLOW_TASK_FAILED" not in worked.events(run_id)
    last = worked.steps(run_id, definition_step_id="count")[-1]
    assert (last.iter, last.status) == ([items - 1], "SUCCEEDED")
    assert len(worked.steps(run_id, definition_step_id="count")) == items
    return run_id


def test_a_run_that_continues_as_new_goes_on_where_it_was(low: Studio) -> None:
    studio = low
    fails = act("fail", fails=9, category="ActionError")
    steps = [
        *chain(60),
        assign("begin", total="0"),
        loop(
            "each",
            "[0..11]",
            act("send"),
            try_catch("guard", [fails], [act("tidy", "quick")]),
            assign("add", total="vars.total + thing"),
        ),
        act("end", value={"$expr": "vars.total"}),
    ]
    run_id = studio.start(studio.publish(*steps))
    run = studio.ended(run_id, 120)
    assert run.status == "SUCCEEDED", run.error_json
    assert (run.temporal_workflow_id, run.error_json) == (temporal_workflow_id(run_id), None)

    ordinals = {row.written_ordinal for row in studio.steps(run_id)}
    assert max(ordinals) > 1
    expected = [(f"step-{number}", 1, "SUCCEEDED") for number in range(60)]
    expected += [("begin", 1, "SUCCEEDED"), ("each", 1, "SUCCEEDED")]
    for index in range(12):
        expected += [
            (f"send[{index}]", 1, "SUCCEEDED"),
            (f"guard[{index}]", 1, "SUCCEEDED"),
            (f"fail[{index}]", 1, "FAILED"),
            (f"tidy[{index}]", 1, "SUCCEEDED"),
            (f"add[{index}]", 1, "SUCCEEDED"),
        ]
    assert studio.outline(run_id) == [*expected, ("end", 1, "SUCCEEDED")]
    assert [row.superseded for row in studio.steps(run_id) if row.superseded] == []
    done = Counter(studio.effects())
    assert done["begin send"] == done["end send"] == done["begin fail"] == done["end tidy"] == 12
    assert all(done[f"begin step-{number}"] == 1 for number in range(60))
    assert (studio.steps(run_id)[-1].output_json or {}).get("value") == sum(range(12))
