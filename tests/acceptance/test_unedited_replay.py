"""PRD: unedited Replay of a redaction-configured run executes with the original payload."""

from __future__ import annotations

import pytest

from engine.runs import strict_json
from engine.runs.redaction import MASK
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests.acceptance.conftest import Publish
from tests.acceptance.visitor import Visitor

PAYLOAD = """{"customer": {"name": "Ünal & Co", "iban": "DE02 1203"}, "password": "s3cr3t",
 "amounts": [1, 2.5, -0.0, 1e3], "note": null, "list": [{"pin": "0000"}, {"pin": "1111"}]}"""
pytestmark = pytest.mark.temporal


@pytest.fixture(scope="session")
def redacting(publish: Publish) -> str:
    return publish(
        {
            "id": "redacting",
            "name": "Redacting",
            "redact": ["/payload/customer/iban", "/payload/list"],
            "steps": [
                {
                    "id": "check",
                    "type": "control.if",
                    "condition": {"$expr": 'payload.password == "s3cr3t"'},
                    "then": [{"id": "right", "type": "state.set", "config": {"state": "RIGHT"}}],
                    "else": [{"id": "wrong", "type": "state.set", "config": {"state": "WRONG"}}],
                }
            ],
        }
    )


def stored(store: Store, run_id: str) -> str:
    """The run's input as canonical JSON, byte for byte."""
    with store.reading() as session:
        return strict_json.canonical(session.get_one(WorkflowRun, run_id).input_json)


def test_the_new_run_has_the_original_payload_and_the_request_carried_none(
    visitor: Visitor, product_store: Store, redacting: str
) -> None:
    original = visitor.run_now(redacting, PAYLOAD)
    assert visitor.wait_for_end(original) == "SUCCEEDED"

    page = visitor.page(f"/runs/{original}/replay")
    [form] = [form for form in page.forms if form.action == f"/runs/{original}/replay"]
    assert "payload" not in form.fields
    answer = visitor.submit(form, reason="the network was down")
    assert "payload" not in visitor.sent
    assert "s3cr3t" not in page.html

    replayed = answer.headers["location"].rsplit("/", 1)[-1]
    assert visitor.wait_for_end(replayed) == "SUCCEEDED"
    assert stored(product_store, replayed) == stored(product_store, original)
    assert stored(product_store, original) == strict_json.canonical(strict_json.parse(PAYLOAD))
    assert MASK not in stored(product_store, replayed)


def test_the_replayed_run_acted_on_the_true_value(visitor: Visitor, redacting: str) -> None:
    replayed = visitor.replay(visitor.run_now(redacting, PAYLOAD))
    visitor.wait_for_end(replayed)
    steps = visitor.export(replayed)["steps"]
    assert [step["id"] for step in steps] == ["check", "right"]  # type: ignore[index]
