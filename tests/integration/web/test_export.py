"""Export: a run with everything below it, bounded and truthful about it, and verifiable."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from engine.errors import Unavailable
from engine.gateway.histories import Rehearsal, SealedHistory
from engine.runs.redaction import POLICY_VERSION
from engine.runs.verify_export import said, verify
from engine.services import export_run, run_record
from engine.settings import ROOT
from engine.store.audit import AuditLog
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser
from tests.integration.web.marks import on_both


@dataclass
class Histories:
    """Temporal's, of one event each."""

    away: bool = False
    sizes: dict[str, int] = field(default_factory=dict)

    def histories_of(self, workflow_id: str, *, most_bytes: int) -> list[SealedHistory] | None:
        if self.away:
            raise Unavailable("Temporal does not answer.")
        size = self.sizes.get(workflow_id, 10)
        if size == 0:
            return []
        event = {"eventId": "1"}
        return [SealedHistory(workflow_id, "e", "k", [event], size)] if size <= most_bytes else None

    def rehearse(self, histories: list[Any]) -> list[Rehearsal]:
        return []


@pytest.fixture
def histories(app: Flask) -> Histories:
    made = Histories()
    app.extensions["run_studio"] = replace(app.extensions["run_studio"], histories=made)
    return made


@pytest.fixture
def family(store: Store, of: WorkflowDefinition) -> list[WorkflowRun]:
    """A run, two that it called, and one that the first of these called; the last is open."""
    top = builders.run(of, "SUCCEEDED", input_json={"password": "s3cr3t-x"})
    runs = [top]
    for number, (parent, status) in enumerate([(0, "FAILED"), (0, "SUCCEEDED"), (1, "WAITING")]):
        at = builders.NOW + timedelta(seconds=number)
        above = runs[parent].run_id
        runs.append(builders.run(of, status, parent_run_id=above, started_at=at))
    rows = [
        row for run in runs for row in (builders.step(run), builders.log(run), builders.wait(run))
    ]
    builders.save(store, *runs, *rows, builders.invocation(top), builders.human_task(top))
    return runs


def exported(browser: Browser, run: WorkflowRun, query: str = "") -> dict[str, Any]:
    response = browser.get(f"/runs/{run.run_id}/export{query}")
    assert response.status_code == 200, response.text
    assert verify(response.data).holds, list(said(verify(response.data)))
    found: dict[str, Any] = response.get_json()
    return found


@on_both
def test_the_runs_that_it_called_are_in_it_with_all_that_is_below_them(
    viewer: Browser, family: list[WorkflowRun]
) -> None:
    top, first, second, below = family
    document = exported(viewer, top)
    assert [child["id"] for child in document["children"]] == [first.run_id, second.run_id]
    one = document["children"][0]
    assert {"id", "status", "workflow", "startedAt", "run", "steps", "waits", "logs"} <= one.keys()
    assert one["run"]["parent"] == top.run_id
    assert [child["run"]["id"] for child in one["children"]] == [below.run_id]
    assert document["children"][1]["children"] == []
    assert len(document["calls"]) == len(document["tasks"]) == 1


@on_both
def test_the_manifest_says_what_is_in_the_file_and_under_which_rules(
    viewer: Browser, family: list[WorkflowRun]
) -> None:
    manifest = exported(viewer, family[0])["manifest"]
    assert manifest["runId"] == family[0].run_id
    assert manifest["redactionPolicy"]["version"] == POLICY_VERSION
    assert manifest["exportedBy"] == viewer.operator.email  # type: ignore[union-attr]
    assert manifest["exportedAt"] == "2026-11-23T09:30:00Z"
    assert manifest["product"] == {"name": "Run Studio", "version": "0.1.0"}
    assert manifest["counts"] == {
        "runs": 4,
        "steps": 4,
        "waits": 4,
        "tasks": 1,
        "calls": 1,
        "logs": 4,
    }
    assert manifest["complete"]
    assert manifest["openRuns"] == [family[3].run_id]
    assert {"/run", "/steps", "/children/0/steps", "/children/0/children/0/run"} <= (
        manifest["parts"].keys()
    )


def test_what_does_not_fit_is_left_out_and_said_to_be(
    viewer: Browser, family: list[WorkflowRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_record.Budget.__init__, "__defaults__", (7, 10_000_000))
    monkeypatch.setattr(export_run, "MOST_RUNS", 2)
    document = exported(viewer, family[0])
    manifest = document["manifest"]
    assert not manifest["complete"]
    assert {"part": "/children", "kept": 1, "of": 2} in manifest["leftOut"]
    assert {"part": "/children/0/children", "kept": 0, "of": 1} in manifest["leftOut"]
    assert {"part": "/children/0/logs", "kept": 0, "of": 1} in manifest["leftOut"]
    assert len(document["steps"]) == 1


def test_large_values_are_left_out_too(
    viewer: Browser, family: list[WorkflowRun], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = builders.step(family[0], path="root.steps[9]", output_json={"x": "y" * 60_000})
    builders.save(store, step)
    monkeypatch.setattr(run_record.Budget.__init__, "__defaults__", (1000, 50_000))
    manifest = exported(viewer, family[0])["manifest"]
    assert manifest["leftOut"] == [{"part": "/steps", "kept": 1, "of": 2}]


def test_one_changed_byte_is_told_with_the_part_in_which_it_is(
    viewer: Browser, family: list[WorkflowRun]
) -> None:
    data = viewer.get(f"/runs/{family[0].run_id}/export").data
    changed = data.replace(
        b'"message": "something happened"', b'"message": "something Happened"', 1
    )
    assert [fault.part for fault in verify(changed).faults] == ["/logs"]


def test_the_file_is_verified_where_there_is_no_database_no_temporal_and_no_setting(
    viewer: Browser, family: list[WorkflowRun], tmp_path: Path
) -> None:
    data = viewer.get(f"/runs/{family[0].run_id}/export").data
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(data)
    bad.write_bytes(data.replace(b'"FAILED"', b'"FAILEd"', 1))

    def verified(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "scripts.verify_export", *arguments],
            cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, output = verified(str(good))
    assert (code, "parts are as they were exported" in output) == (0, True)
    assert "1 of the runs had not ended" in output
    code, output = verified(str(bad))
    assert (code, "CHANGED  /children/0 is not as it was exported" in output) == (1, True)
    assert verified(str(good), "--key", "00" * 32)[0] == 1
    assert verified(str(tmp_path / "none.json"))[0] == 2


def test_histories_are_added_for_who_may_reveal_and_the_audit_log_says_so(
    sign_in: Callable[[str], Browser], family: list[WorkflowRun], histories: Histories, store: Store
) -> None:
    top = family[0]
    histories.sizes = {family[1].temporal_workflow_id or "": 0,
                       family[2].temporal_workflow_id or "": 10**9}  # fmt: skip
    for role in ("viewer", "operator"):
        refused = sign_in(role).get(f"/runs/{top.run_id}/export?history=1")
        assert refused.status_code == 403
    document = exported(sign_in("admin"), top, "?history=1")
    assert [each["runId"] for each in document["histories"]] == [top.run_id, family[3].run_id]
    assert document["manifest"]["counts"]["histories"] == 2
    assert document["manifest"]["runsWithoutHistory"] == [
        {"runId": family[1].run_id, "why": "Temporal has none"},
        {"runId": family[2].run_id, "why": "the file would be too large"},
    ]
    with store.reading() as session:
        rows = session.scalars(select(AuditLog).where(AuditLog.record_id == top.run_id)).all()
    assert sorted((row.operation, row.outcome) for row in rows) == [
        ("workflow_run_export_history", outcome) for outcome in ("denied", "denied", "done")
    ]


def test_without_temporal_the_export_is_had_without_histories_only(
    sign_in: Callable[[str], Browser], family: list[WorkflowRun], histories: Histories
) -> None:
    histories.away = True
    admin = sign_in("admin")
    response = admin.get(f"/runs/{family[0].run_id}/export?history=1")
    assert response.status_code == 503
    exported(admin, family[0])
    exported(admin, family[0], "?history=0")


def test_a_run_that_is_not_there_is_not_found(viewer: Browser) -> None:
    for run_id in ("nope", builders.new_id()):
        assert viewer.get(f"/runs/{run_id}/export").status_code == 404


def test_who_may_export_histories_is_offered_to(
    sign_in: Callable[[str], Browser], family: list[WorkflowRun], histories: Histories
) -> None:
    address = f"/runs/{family[0].run_id}"
    for role, offered in (("viewer", False), ("operator", False), ("admin", True)):
        links = sign_in(role).page(address).links()
        assert f"{address}/export" in links
        assert (f"{address}/export?history=1" in links) is offered


def test_runs_that_name_each_other_as_callers_are_exported_once(
    viewer: Browser, store: Store, of: WorkflowDefinition
) -> None:
    ids = [builders.new_id(), builders.new_id()]
    runs = [
        builders.run(of, "SUCCEEDED", run_id=one, parent_run_id=other)
        for one, other in (ids, reversed(ids))
    ]
    builders.save(store, *runs)
    for run in runs:
        document = exported(viewer, run)
        assert document["manifest"]["counts"]["runs"] == 2
        assert document["children"][0]["children"] == []


def test_what_a_caller_hides_stays_hidden_in_the_runs_that_it_called(
    viewer: Browser, store: Store, of: WorkflowDefinition
) -> None:
    top = builders.run(of, input_json={"password": "s3cr3t-top"})
    middle = builders.run(of, input_json={"x": 1}, parent_run_id=top.run_id)
    below = builders.run(of, input_json={"told": "is s3cr3t-top"}, parent_run_id=middle.run_id)
    step = builders.step(top, output_json={"token": "s3cr3t-step"})
    seen = builders.step(below, output_json={"heard": "s3cr3t-step"})
    builders.save(store, top, middle, below, step, seen)
    for run in (top, below):
        assert "s3cr3t" not in str(exported(viewer, run))
    page = viewer.get(f"/runs/{below.run_id}").text
    assert "is [REDACTED]" in page
    assert "s3cr3t" not in page
