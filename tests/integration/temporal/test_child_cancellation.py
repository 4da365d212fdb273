"""Children go when their parent does, and each ends in its own way."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.contract import temporal_workflow_id
from engine.services import launch_child
from tests.integration.temporal.children import children, error_of, failing, key
from tests.steps import act, call, expr, loop, try_catch, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal


def test_a_cancel_of_the_parent_cancels_its_children_and_waits_for_them(worked: Studio) -> None:
    """Bar 20, and cancellation during a child: grandchildren too, from Temporal's own tools too."""
    leaf = worked.publish(wait("long"))
    middle = worked.publish(call("leaf", key(leaf)))
    top = worked.publish(call("middle", key(middle)))
    ids = [worked.start(top), worked.start(top)]
    for run_id in ids:
        worked.eventually(lambda run_id=run_id: _leaf_of(worked, run_id) == "WAITING")  # type: ignore[misc]
    worked.cancel(ids[0])
    worked.cancel(ids[1], row=False)

    for run_id in ids:
        assert worked.ended(run_id).status == "CANCELED"
        assert worked.temporal_status(run_id) == "CANCELED"
        (child,) = children(worked, run_id)
        (grandchild,) = children(worked, child.run_id)
        assert (child.status, grandchild.status) == ("CANCELED", "CANCELED")
        assert worked.outline(run_id) == [("middle", 1, "CANCELED")]
        assert [one.status for one in worked.waits(grandchild.run_id)] == ["CANCELED"]
        assert grandchild.root_run_id == run_id


def _leaf_of(studio: Studio, run_id: str) -> str | None:
    at = None
    for child in children(studio, run_id):
        at = next((one.status for one in children(studio, child.run_id)), None)
    return at


def test_a_cancel_of_the_child_alone_is_its_parents_error(worked: Studio) -> None:
    """Only one's own cancellation is never caught."""
    child = worked.publish(wait("long"))
    guarded = {**try_catch("guard", [call("sub", key(child))], []), "captureErrorAs": "why"}
    run_id = worked.start(worked.publish(guarded, act("send", value=expr("vars.why"))))
    worked.eventually(lambda: [one.status for one in children(worked, run_id)] == ["WAITING"])
    worked.cancel(children(worked, run_id)[0].run_id)

    assert worked.ended(run_id).status == "SUCCEEDED"
    assert [one.status for one in children(worked, run_id)] == ["CANCELED"]
    (send,) = worked.steps(run_id, definition_step_id="send")
    why = (send.output_json or {})["value"]
    assert (why["category"], why["details"]["cause"]["category"]) == (
        "ChildWorkflowError",
        "Cancellation",
    )


def test_children_of_a_concurrent_loop_are_cancelled_when_a_sibling_fails(worked: Studio) -> None:
    child = worked.publish(wait("long"))
    body = {
        "id": "which",
        "type": "control.if",
        "condition": expr("thing = 2"),
        "then": [wait("soon", 300), failing()],
        "else": [call("sub", key(child))],
    }
    run = worked.execute({**loop("each", "[1, 2, 3]", body), "concurrency": 3})

    assert run.status == "FAILED"
    assert error_of(run)["category"] == "ActionError"
    assert [one.status for one in children(worked, run.run_id)] == ["CANCELED", "CANCELED"]


def test_a_child_that_is_being_accepted_when_its_branch_ends_is_not_left_behind(
    worked: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row said RUNNING with nothing in Temporal, as long as the run that called it went on."""
    accept = launch_child.accept

    def slowly(*args: Any) -> Any:
        accepted = accept(*args)
        time.sleep(0.7)
        return accepted

    monkeypatch.setattr(launch_child, "accept", slowly)
    body = {
        "id": "which",
        "type": "control.if",
        "condition": expr("thing = 2"),
        "then": [act("breaks", "quick", fails=9, category="ActionError", ms=200)],
        "else": [call("sub", key(worked.publish(wait("long"))))],
    }
    each = {**loop("each", "[1, 2, 3]", body), "concurrency": 3}
    run_id = worked.start(worked.publish(try_catch("guard", [each], []), wait("on")))
    worked.eventually(lambda: worked.run(run_id).node_path == "root.steps[1]")

    assert [one.status for one in children(worked, run_id)] == ["CANCELED", "CANCELED"]
    assert all(one.claimed_by is not None for one in children(worked, run_id))
    worked.cancel(run_id)


def test_a_terminated_parent_leaves_no_child_behind(worked: Studio) -> None:
    """The parent close policy: terminated by Temporal's own tools, its children clean up."""
    child = worked.publish(wait("long"))
    run_id = worked.start(worked.publish(call("sub", key(child))))
    worked.eventually(lambda: [one.status for one in children(worked, run_id)] == ["WAITING"])
    worked.services.gateway.terminate_run(temporal_workflow_id(run_id), "by hand")

    (row,) = children(worked, run_id)
    assert worked.ended(row.run_id).status == "CANCELED"
