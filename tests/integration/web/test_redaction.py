"""A canary that must not be seen is in no answer: page, fragment, JSON, form or error."""

from __future__ import annotations

from typing import Any

import pytest

from engine.store.runs import StoredValue, WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser
from tests.integration.web.marks import on_both

CANARY = "CANARY-4711"


def _action(step_id: str, save_as: str) -> dict[str, Any]:
    config = {"actionId": "http.request", "version": 1, "saveAs": save_as}
    return {"id": step_id, "type": "action.call", "config": config}


@pytest.fixture
def run(store: Store) -> WorkflowRun:
    """A run that holds the canary wherever a run can hold something."""
    document = builders.document(
        "leaky",
        redact=["/payload/customer/taxNumber", "/vars/found/iban"],
        steps=[
            _action("find", "vars.found"),
            _action("copy", "vars.copied"),
            {"id": "set", "type": "transform.assign", "config": {"assign": {"vars.x": 1}}},
        ],
    )
    of, _ = builders.published(store, "leaky", document=document)
    error = {"category": "ActionError", "message": f"{CANARY}-tax was refused by the CRM",
             "details": {"body": f"no such {CANARY}-tax", "token": f"{CANARY}-x"}}  # fmt: skip
    run = builders.run(
        of,
        "FAILED",
        input_json={"customer": {"taxNumber": f"{CANARY}-tax"}, "apiKey": f"{CANARY}-key"},
        trigger_type="event",
        trigger_metadata_json={"authorization": f"Bearer {CANARY}", "from": f"{CANARY}-key"},
        state_label=f"asking for {CANARY}-tax",
        reason=f"wrong {CANARY}-key",
        cancel_reason=f"because of {CANARY}-key",
        cancel_requested_at=builders.NOW,
        error_json=error,
    )
    value_id = f"{run.run_id}:1"
    large = {"iban": f"{CANARY}-iban", "filler": "x" * 70_000}
    reference = {"$ref": value_id, "bytes": 70_050}
    at = builders.NOW
    builders.save(
        store,
        run,
        StoredValue(
            value_id=value_id, run_id=run.run_id, size_bytes=70_050, value_json=large, created_at=at
        ),
        builders.step(
            run,
            path="root.steps[0]",
            output_json=reference,
            input_json={"url": f"https://crm/{CANARY}-tax"},
        ),
        builders.step(
            run,
            path="root.steps[1]",
            input_json={"body": f"pay to {CANARY}-iban now"},
            output_json={"password": f"{CANARY}-pw"},
        ),
        builders.step(
            run,
            "FAILED",
            path="root.steps[2]",
            error_json=error,
            output_json={"vars.apiKey": f"{CANARY}-assigned", "vars.y": f"{CANARY}-pw"},
        ),
        builders.step(run, path="root.steps[3]", input_json=[f"{CANARY}-assigned"]),
        builders.log(
            run, f"sent {CANARY}-iban", context_json={"secret": CANARY, "k": f"{CANARY}-pw"}
        ),
        builders.wait(
            run,
            "event",
            key=f"{CANARY}-key",
            event_name="PAID",
            payload={"filters": [f"{CANARY}-tax"]},
        ),
    )
    return run


@on_both
def test_the_canary_is_in_no_answer_to_anybody(
    operator: Browser, viewer: Browser, run: WorkflowRun
) -> None:
    address = f"/runs/{run.run_id}"
    reads = [address, f"{address}/graph", f"{address}/compare", "/workflows/leaky/graph",
             f"{address}/banner", f"{address}/export", f"{address}?steps_before=99999",
             "/runs", "/workflows", "/workflows/leaky"]  # fmt: skip
    asks = [f"{address}/replay", f"{address}/replay?edit=1", "/workflows/leaky/run"]
    for browser, addresses in ((viewer, reads), (operator, reads + asks)):
        for one in addresses:
            for htmx in (False, True):
                response = browser.get(one, htmx=htmx)
                assert response.status_code == 200, one
                assert CANARY not in response.text, one
                assert CANARY not in str(response.headers), one


def test_nor_in_the_answers_to_what_is_done(operator: Browser, run: WorkflowRun) -> None:
    address = f"/runs/{run.run_id}"
    sent: list[tuple[str, dict[str, str]]] = [
        (f"{address}/cancel", {"reason": "because"}),
        (f"{address}/cancel", {"reason": ""}),
        (f"{address}/replay", {"reason": ""}),
        (f"{address}/replay", {"reason": "because", "payload": "{"}),
        (f"{address}/replay", {"reason": "because", "payload": '{"a": "[REDACTED]"}'}),
        (f"{address}/replay", {"reason": "because", "payload": "{}", "shown": "x"}),
    ]
    for to, data in sent:
        for htmx in (False, True):
            assert CANARY not in operator.post(to, data, htmx=htmx).text, (to, data)


def test_what_is_masked_is_said_to_be_masked_and_the_rest_is_shown(
    operator: Browser, run: WorkflowRun
) -> None:
    page = operator.page(f"/runs/{run.run_id}")
    assert '"taxNumber": "[REDACTED]"' in page.text
    assert "[REDACTED] was refused by the CRM" in page.text
    assert "pay to [REDACTED] now" in page.text
    assert "sent [REDACTED]" in page.text


@on_both
def test_the_export_holds_everything_else(operator: Browser, run: WorkflowRun) -> None:
    response = operator.get(f"/runs/{run.run_id}/export")
    assert response.mimetype == "application/json"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="run-{run.run_id}.json"'
    )
    found = response.get_json()
    assert {"run", "steps", "waits", "logs", "children"} <= found.keys()
    assert found["run"]["id"] == run.run_id
    assert found["run"]["status"] == "FAILED"
    assert found["run"]["input"]["customer"] == {"taxNumber": "[REDACTED]"}
    first = found["steps"][0]
    assert {"id", "path", "iter", "kind", "status", "attempt", "input", "output", "error"} <= (
        first.keys()
    )
    assert first["output"] == {"iban": "[REDACTED]", "filler": "x" * 70_000}
    assert len(found["steps"]) == 4
    assert len(found["logs"]) == 1
    assert len(found["waits"]) == 1


def test_rules_that_cannot_be_read_hide_everything(operator: Browser, store: Store) -> None:
    of, _ = builders.published(store, document=builders.document("odd", redact=["/nowhere"]))
    run = builders.run(of, "SUCCEEDED", input_json={"plain": CANARY})
    builders.save(store, run, builders.step(run, output_json={"plain": CANARY}))
    for address in (f"/runs/{run.run_id}", f"/runs/{run.run_id}/export"):
        response = operator.get(address)
        assert response.status_code == 200
        assert CANARY not in response.text


def test_markup_in_a_payload_stays_text(operator: Browser, store: Store) -> None:
    evil = "<script>alert(1)</script>"
    of, _ = builders.published(store, "evil", name=evil, description=evil)
    run = builders.run(of, "FAILED", input_json={evil: evil}, error_json={"message": evil})
    builders.save(store, run, builders.step(run, name=evil, path=evil), builders.log(run, evil))
    for address in ("/runs", f"/runs/{run.run_id}", f"/runs/{run.run_id}/replay?edit=1",
                    "/workflows", "/workflows/evil", "/workflows/evil/run"):  # fmt: skip
        assert evil not in operator.get(address).text
