"""Two runs side by side: what differs is said, what is masked is not shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.runs.fingerprint import Fingerprints
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.tables import WorkflowRunStep
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both
from tests.unit.drawing.documents import action, document

CANARY = "CANARY-4711"
KEYED = Fingerprints("a key of tests")
LATER = builders.NOW + timedelta(minutes=1)


def row(path: str, run: WorkflowRun, status: str = "SUCCEEDED", **fields: Any) -> WorkflowRunStep:
    name = fields.pop("name", path)
    return builders.step(run, status, path=path, definition_step_id=name, **fields)


@pytest.fixture
def two(store: Store, of: WorkflowDefinition) -> tuple[WorkflowRun, WorkflowRun]:
    """A run that failed, and its replay, which went another way."""
    old = builders.run(of, "FAILED", input_json={"a": 1, "b": [1, 2], "apiKey": f"{CANARY}-x"},
                       error_json={"category": "ActionError", "message": "It broke"})  # fmt: skip
    new = builders.run(of, "SUCCEEDED", input_json={"a": 2, "b": [1], "apiKey": f"{CANARY}-y"},
                       replay_of_run_id=old.run_id, started_at=LATER)  # fmt: skip
    builders.save(
        store, old, new,
        row("root.steps[0]", old, name="charge", duration_ms=100),
        row("root.steps[1]", old, "FAILED", name="ship", error_json={"message": "x"}),
        row("root.steps[0]", new, name="charge", duration_ms=2300),
        row("root.steps[1]", new, name="ship", attempt=1),
        row("root.steps[2]", new, name="tell"),
    )  # fmt: skip
    return old, new


def compared(browser: Browser, one: WorkflowRun, other: WorkflowRun) -> Page:
    return browser.page(f"/runs/{one.run_id}/compare?with={other.run_id}")


@on_both
def test_what_differs_is_said(operator: Browser, two: tuple[WorkflowRun, WorkflowRun]) -> None:
    page = compared(operator, *two)
    for said in ("/a changed 1 2", "/b/1 removed 2 absent", "/apiKey changed masked: differs",
                 "Both executed version 1", "Here the runs part ship", "+2.2 s slower",
                 "tell action.call not executed", "It broke"):  # fmt: skip
        assert said in page.text, said
    assert page.by_id("parting") is not None


def test_the_run_that_was_started_first_stands_left(
    operator: Browser, two: tuple[WorkflowRun, WorkflowRun]
) -> None:
    old, new = two
    first = f"Earlier {old.run_id[:8]}"
    assert first in compared(operator, old, new).text
    assert first in compared(operator, new, old).text


def test_equal_payloads_are_proven_equal_without_being_shown(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    payload = {"password": f"{CANARY}-pw", "plain": 1}
    old = builders.run(of, "SUCCEEDED", input_json=payload)
    new = builders.run(of, "SUCCEEDED", input_json=dict(reversed(payload.items())),
                       started_at=LATER)  # fmt: skip
    builders.save(store, old, new)
    page = compared(operator, new, old)
    assert "The payloads are equal, masked values too" in page.text
    assert "Masked and proven equal: 1 /password" in page.text
    assert CANARY not in page.html


def test_a_replays_own_page_says_whether_its_payload_is_that_of_the_old_run(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    old = builders.run(of, "FAILED", input_json={"password": f"{CANARY}-pw", "plain": 1})
    same = builders.run(of, input_json=old.input_json, replay_of_run_id=old.run_id)
    edited = builders.run(of, input_json={"plain": 2}, replay_of_run_id=old.run_id)
    builders.save(store, old, same, edited)
    for _ in range(2):
        assert "with an equal payload, fingerprint" in operator.page(f"/runs/{same.run_id}").text
        page = operator.page(f"/runs/{edited.run_id}")
        assert "with an edited payload" in page.text
        assert f"/runs/{edited.run_id}/compare?with={old.run_id}" in page.links()
        told = operator.page(f"/runs/{old.run_id}").text
        assert f"{same.run_id[:8]} RUNNING equal payload {KEYED.of(old.input_json)}" in told
        assert f"{edited.run_id[:8]} RUNNING edited payload" in told


@on_both
def test_versions_are_compared_step_by_step(operator: Browser, store: Store) -> None:
    of, _ = builders.published(store, "drawn", document=document(action("first"), action("gone")))
    changed = document(action("first"), action("more")) | {"concurrencyLimit": 3}
    changed["steps"][0]["config"]["actionId"] = "store.get"
    second = builders.version(of, 2, definition_json=changed)
    old = builders.run(of, "SUCCEEDED")
    new = builders.run(of, "SUCCEEDED", workflow_version=2, started_at=LATER)
    builders.save(store, second, old, new)
    text = compared(operator, old, new).text
    for said in ("changed first-1 action.call", '/config/actionId changed "log.write" "store.get"',
                 "removed gone-2", "added more-2", "/concurrencyLimit added absent 3"):  # fmt: skip
        assert said in text, said


def test_runs_of_two_workflows_and_of_gone_versions_are_compared(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    other, _ = builders.published(store, "other", document=document(action()))
    run, foreign = builders.run(of), builders.run(other)
    gone = builders.run(of, workflow_version=9, epoch=0, input_json=None)
    old = builders.step(gone, occurrence=None, iter=None, position=None)
    builders.save(store, run, foreign, gone, old)
    assert "different workflows" in compared(operator, run, foreign).text
    assert "no longer kept" in compared(operator, run, gone).text


def test_nothing_that_is_masked_is_in_the_comparison(operator: Browser, store: Store) -> None:
    shown = document(action(), action(f"of {CANARY}-tax")) | {"redact": ["/payload/tax"]}
    of, _ = builders.published(store, "leaky", document=shown)
    changed = dict(shown) | {"description": f"about {CANARY}-tax", "name": "x"}
    builders.save(store, builders.version(of, 2, definition_json=changed))
    error = {"category": "ActionError", "message": f"{CANARY}-tax refused"}
    runs = [
        builders.run(of, "FAILED", workflow_version=number, error_json=error, started_at=LATER,
                     input_json={"tax": f"{CANARY}-tax", "apiKey": f"{CANARY}-{number}",
                                 f"{CANARY}-tax": 1, "note": f"see {CANARY}-{number}"})
        for number in (1, 2)
    ]  # fmt: skip
    for run in runs:
        builders.save(store, run, builders.step(run, path="root.steps[1]", name=f"{CANARY}-tax"))
    for htmx in (False, True):
        address = f"/runs/{runs[0].run_id}/compare?with={runs[1].run_id}"
        response = operator.get(address, htmx=htmx)
        assert response.status_code == 200
        assert CANARY not in response.text


def test_a_value_masked_on_one_side_is_not_told_by_an_open_one(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    """Whoever guesses a masked value learns nothing from a run that holds the guess openly."""
    said = []
    secret = builders.run(of, input_json={"apiKey": "sesame-1", "note": "sesame-1"})
    builders.save(store, secret)
    for guess in ("sesame-1", "sesame-2"):
        run = builders.run(of, input_json={"note": guess}, started_at=LATER)
        builders.save(store, run)
        text = compared(operator, secret, run).text
        said.append(text[text.index("/apiKey removed") :].replace(guess, "?"))
    assert said[0] == said[1]


def test_markup_stays_text(operator: Browser, store: Store) -> None:
    evil = "<script>alert(1)</script>"
    of, _ = builders.published(store, "evil", name=evil)
    runs = [builders.run(of, "FAILED", input_json={evil: n}, error_json={"message": evil})
            for n in (1, 2)]  # fmt: skip
    for run in runs:
        builders.save(store, run, builders.step(run, name=evil, path=evil))
    assert evil not in compared(operator, *runs).html


def test_large_runs_are_compared_in_part_and_it_is_said(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    runs = [builders.run(of, input_json={"list": list(range(n, n + 600))}) for n in (0, 1)]
    for run in runs:
        rows = [builders.step(run, iter=(n,), position=n + 1) for n in range(1100)]
        builders.save(store, run, *rows)
    page = compared(operator, *runs)
    assert "The first 500 differences; there are more." in page.text
    assert "The first 1,000 occurrences of each run are compared." in page.text
    assert len([a for a in page.all("th") if a.get("scope") == "row"]) < 1700


def test_a_run_that_goes_on_is_compared_as_far_as_it_has_come(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    queued = builders.run(of, input_json={"a": 1})
    ended = builders.run(of, "SUCCEEDED", input_json={"a": 1}, started_at=LATER, claimed_at=LATER)
    builders.save(store, queued, ended, row("root.steps[0]", ended, name="ship"))
    text = compared(operator, queued, ended).text
    for said in ("Outcome not decided yet", "as far as it has come", "ship", "not executed",
                 "The payloads are equal", "Running for — 1.0 s"):  # fmt: skip
        assert said in text, said


def test_queued_running_and_waiting_time_are_told_apart(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    def ended(at: datetime, waited: int) -> WorkflowRun:
        claimed = at + timedelta(seconds=2)
        end = claimed + timedelta(seconds=waited + 3)
        run = builders.run(of, "SUCCEEDED", started_at=at, claimed_at=claimed, completed_at=end)
        until = claimed + timedelta(seconds=waited)
        wait = builders.wait(run, status="RESOLVED", created_at=claimed, resolved_at=until)
        builders.save(store, run, wait)
        return run

    text = compared(operator, ended(builders.NOW, 4), ended(LATER, 10)).text
    assert (
        "Queued for 2.0 s 2.0 s ±0 Running for 3.0 s 3.0 s ±0 Waiting for 4.0 s 10 s +6.0 s" in text
    )


def test_a_version_that_is_gone_leaves_the_definitions_unknown(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    one, other = builders.run(of), builders.run(of, workflow_version=9, started_at=LATER)
    builders.save(store, one, other)
    assert "Definition not known" in compared(operator, one, other).text
