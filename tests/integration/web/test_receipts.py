"""Receipts on the page of a run: requested, delivered, observed; never more than was seen."""

from __future__ import annotations

from datetime import timedelta

from engine.store.audit import AuditLog
from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser
from tests.integration.web.marks import on_both

LATER = builders.NOW + timedelta(seconds=5)


def _receipts(browser: Browser, run_id: str) -> str:
    text = browser.page(f"/runs/{run_id}").text
    return text.partition("Receipts ")[2].partition("Workflow Greet")[0]


def test_a_run_of_which_nothing_was_asked_has_none(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(store, run)
    assert "Receipts" not in operator.page(f"/runs/{run.run_id}").text


def test_a_cancel_is_requested_then_delivered_then_seen(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    asked = {"cancel_requested_at": builders.NOW, "cancel_reason": "because"}
    requested = builders.run(of, **asked)
    delivered = builders.run(of, **asked, cancel_delivered_at=LATER)
    ended = builders.run(of, "CANCELED", **asked, cancel_delivered_at=LATER)
    late = builders.run(of, "SUCCEEDED", **asked, cancel_delivered_at=LATER)
    builders.save(store, requested, delivered, ended, late)
    assert _receipts(operator, requested.run_id).count("not seen yet") == 2
    assert _receipts(operator, delivered.run_id).count("not seen yet") == 1
    said = _receipts(operator, ended.run_id)
    assert "not seen yet" not in said
    assert said.index("requested") < said.index("delivered to Temporal")
    assert said.index("delivered to Temporal") < said.index("seen to have ended")
    assert "came too late: the run succeeded" in _receipts(operator, late.run_id)


def test_a_cancel_that_was_never_delivered_does_not_say_it_was(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "CANCELED", cancel_requested_at=builders.NOW)
    builders.save(store, run)
    assert "delivered" not in _receipts(operator, run.run_id)


def test_a_replay_is_accepted_then_delivered_then_taken_by_a_worker(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    old = builders.run(of, "FAILED")
    new = builders.run(of, replay_of_run_id=old.run_id)
    taken = builders.run(of, replay_of_run_id=old.run_id, claimed_by="x", claimed_at=LATER)
    sent = builders.run(of, replay_of_run_id=old.run_id, temporal_run_id="known to Temporal")
    unborn = builders.run(of, "FAILED", replay_of_run_id=old.run_id, temporal_run_id=None)
    builders.save(store, old, new, sent, taken, unborn)
    said = _receipts(operator, new.run_id)
    assert "delivered to Temporal not seen yet" in said
    assert "taken by a worker not seen yet" in said
    said = _receipts(operator, sent.run_id)
    assert "delivered to Temporal observed: taken by a worker not seen yet" in said
    assert "not seen yet" not in _receipts(operator, taken.run_id)
    assert "ended without a worker" in _receipts(operator, unborn.run_id)
    assert "delivered" not in _receipts(operator, unborn.run_id)


def test_a_cancel_that_the_end_overtook_is_not_said_to_have_worked(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    """Also after Temporal, or this database, was restored and the run was found lost."""
    lost = {"category": "InterpreterCorruption", "code": "ENGINE_LOST", "message": "lost"}
    run = builders.run(
        of, "FAILED", cancel_requested_at=builders.NOW, cancel_delivered_at=LATER, error_json=lost
    )
    builders.save(store, run)
    said = _receipts(operator, run.run_id)
    assert "observed: not canceled: the run failed" in said
    assert "seen to have ended" not in said


@on_both
def test_a_release_is_requested_delivered_then_seen_to_have_gone_on(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "WAITING", claimed_by="x")
    waits = (
        builders.wait(run, "quota"),
        builders.wait(run, "quota", told_at=LATER),
        builders.wait(run, "quota", told_at=LATER, status="RESOLVED", resolved_at=LATER),
    )
    builders.save(store, run, *waits)
    builders.save(store, *(_released(run.run_id, wait.wait_id) for wait in waits))
    said = _receipts(operator, run.run_id)
    assert said.count("Release of the quota pause requested") == 3
    assert said.count("seen to have gone on") == 3
    assert said.count("delivered to Temporal not seen yet") == 1
    assert said.count("not seen yet") == 3


def _released(run_id: str, wait_id: str) -> AuditLog:
    return AuditLog(
        audit_id=builders.new_id(), at=builders.NOW, operation="quota_release", outcome="done",
        record_type="workflow_run", record_id=run_id, details_json={"waits": [wait_id]},
        source="ui", operator_email="ann@example.com",
    )  # fmt: skip
