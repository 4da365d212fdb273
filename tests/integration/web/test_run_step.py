"""One step of a run: its own address, all that is known of it, and a file of each part."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from engine.contract import REFERENCE_KEY
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import StoredValue, WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both
from tests.long_runs import insert_all

PATH = "root.steps[0].body.steps[0]"
SECRET = "canary-of-a-step"


@pytest.fixture
def run(store: Store, of: WorkflowDefinition) -> WorkflowRun:
    """A loop of 80 items; the third needed two attempts."""
    made = builders.run(of, "FAILED", input_json={"password": SECRET})
    builders.save(store, made)
    steps = [
        builders.step(made, path=PATH, iter=(n,), position=n + 1, output_json={"item": n})
        for n in range(80)
        if n != 2
    ]
    error = {"category": "ActionError", "message": f"Refused {SECRET}", "details": {"status": 500}}
    tried = {"path": PATH, "iter": (2,), "input_json": {"said": SECRET, "item": 2}}
    first = builders.step(made, "RETRY_SCHEDULED", attempt=1, position=3, error_json=error, **tried)
    last = builders.step(made, "FAILED", attempt=2, position=90, error_json=error, **tried)
    insert_all(store, steps)
    key = first.occurrence
    builders.save(
        store, first, last,
        builders.invocation(made, "FAILED", step_path=PATH, occurrence=key, action_id="mail.send",
                            input_json={"to": SECRET}, error_json=error),
        builders.invocation(made, step_path=PATH, occurrence=f"{PATH}#3", action_id="other.call"),
        builders.log(made, f"Third {SECRET}", step_path=PATH, step_id=last.step_id),
        builders.log(made, "Fourth", step_path=PATH, step_id=steps[3].step_id),
    )  # fmt: skip
    return made


def _open(page: Page) -> list[str]:
    return [a["id"] for a in page.all("details") if "open" in a and "-details-" in a.get("id", "")]


@on_both
def test_its_address_opens_it_however_long_ago_it_ran_with_its_calls_and_its_log(
    operator: Browser, run: WorkflowRun
) -> None:
    page = operator.page(f"/runs/{run.run_id}?step={quote(f'{PATH}#2')}")
    assert _open(page) == [f"step-details-{PATH}#2"]
    assert page.by_id("the-step") is not None
    for said in ("Attempt 1", "Attempt 2", "mail.send", "Third [REDACTED]", "Refused [REDACTED]"):
        assert said in page.text, said
    assert "other.call" not in page.text
    assert SECRET not in page.html
    last = operator.page(f"/runs/{run.run_id}?step={quote(f'{PATH}#79')}")
    assert _open(last) == [f"step-details-{PATH}#79"]
    assert len([a for a in last.all("li") if a.get("id", "").startswith("step-root")]) == 50


@on_both
@pytest.mark.parametrize("key", ["nope", "%00", "x" * 3000, "11111111-1111-4111-8111-111111111111"])
def test_a_step_that_the_run_does_not_have_is_said_to_be_none(
    operator: Browser, run: WorkflowRun, key: str
) -> None:
    page = operator.page(f"/runs/{run.run_id}?step={key}")
    assert "The run has no step" in page.text
    assert operator.get(f"/runs/{run.run_id}/steps/attempts?step={key}").status_code == 404


def test_a_poll_keeps_what_the_address_asked_for(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    builders.save(store, run, builders.step(run, "STARTED"), builders.log(run, "Of it"))
    address = f"/runs/{run.run_id}?step={quote('root.steps[0]')}"
    shown = operator.get(address)
    live = Page(shown.text).by_id("run-live")
    assert live is not None
    assert live["hx-get"] == address
    same = operator.get(live["hx-get"], htmx=True, **{"HX-PTag": live["hx-ptag"]})
    assert same.status_code == 304
    anew = operator.get(live["hx-get"], htmx=True)
    assert _open(Page(anew.text)) == ["step-details-root.steps[0]"]


@on_both
def test_each_part_of_it_is_a_file_redacted_and_whole(
    viewer: Browser, store: Store, run: WorkflowRun
) -> None:
    step = quote(f"{PATH}#2")

    def file(part: str, **more: Any) -> Any:
        query = "".join(f"&{name}={value}" for name, value in more.items())
        response = viewer.get(f"/runs/{run.run_id}/steps/{part}?step={step}{query}")
        assert response.status_code == 200, part
        assert response.headers["Content-Disposition"].startswith("attachment; filename=")
        assert response.headers["Cache-Control"] == "no-store"
        assert SECRET not in response.text
        return json.loads(response.text)

    assert file("input") == {"said": "[REDACTED]", "item": 2}
    assert file("error", attempt=1)["details"] == {"status": 500}
    assert [one["attempt"] for one in file("attempts")] == [1, 2]
    assert [call["action"] for call in file("calls")] == ["mail.send"]
    assert [line["message"] for line in file("logs")] == ["Third [REDACTED]"]
    for none in ("output", "else", "input&attempt=3"):
        address = f"/runs/{run.run_id}/steps/{none.partition('&')[0]}?step={step}"
        assert viewer.get(f"{address}&{none.partition('&')[2]}").status_code == 404
    files = [a["href"] for a in viewer.page(f"/runs/{run.run_id}?step={step}").all("a")
             if "download" in a and "/steps/" in a["href"]]  # fmt: skip
    assert len(files) > 50
    for address in files[:9]:
        assert viewer.get(address).status_code == 200, address


def test_a_large_value_is_in_its_file_in_full(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of)
    value = {"lines": ["x" * 60] * 2000, "token": SECRET}
    reference = {REFERENCE_KEY: f"{run.run_id}:1", "bytes": 130_000}
    kept = StoredValue(
        value_id=f"{run.run_id}:1", run_id=run.run_id, size_bytes=130_000, value_json=value,
        created_at=builders.NOW,
    )  # fmt: skip
    builders.save(store, run, kept, builders.step(run, output_json=reference))
    text = operator.get(f"/runs/{run.run_id}/steps/output?step=root.steps[0]").text
    assert json.loads(text) == {"lines": value["lines"], "token": "[REDACTED]"}


@on_both
def test_a_step_from_before_the_cut_over_has_an_address_too(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "CANCELED", engine="db", epoch=0)
    step = builders.step(run, occurrence=None, iter=None, position=None, input_json={"a": 1})
    builders.save(store, run, step)
    assert _open(operator.page(f"/runs/{run.run_id}?step={step.step_id}"))
    text = operator.get(f"/runs/{run.run_id}/steps/input?step={step.step_id}").text
    assert json.loads(text) == {"a": 1}


def test_without_a_session_no_file_is_given(anybody: Browser, run: WorkflowRun) -> None:
    response = anybody.get(f"/runs/{run.run_id}/steps/attempts?step={quote(f'{PATH}#2')}")
    assert response.status_code in {302, 303, 401}
