"""POST /workflows/<key>/simulate: a dry run, guarded as every control, which changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from engine.store.session import Store
from engine.store.tables import METADATA
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser

STEPS = [
    {
        "id": "send",
        "type": "action.call",
        "config": {
            "actionId": "http.request",
            "version": 1,
            "inputMapping": {"method": "GET", "url": {"$expr": "payload.url"}},
            "saveAs": "answer",
        },
    },
    {
        "id": "note",
        "type": "transform.assign",
        "config": {"assign": {"vars.code": {"$expr": "answer.status"}}},
    },
]
DOCUMENT = builders.document("greet", steps=STEPS)


def ask(browser: Browser, key: str = "greet", **body: Any) -> TestResponse:
    headers = {"X-CSRFToken": browser.token()}
    return browser.client.post(f"/workflows/{key}/simulate", json=body, headers=headers)


def counts(store: Store) -> dict[str, int]:
    """Of every table but the limiter's own and the sessions'."""
    skipped = {"rate_limit_counters", "operator_sessions"}
    with store.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
            if table.name not in skipped
        }


def test_it_tells_what_would_happen_and_does_nothing(
    operator: Browser, store: Store, engine: FakeEngine
) -> None:
    before = counts(store)
    stubs = {"http.request": {"status": 204, "headers": {}, "body": None}, "nobody": 1}
    answer = ask(operator, definition=DOCUMENT, payload={"url": "https://x.example"}, stubs=stubs)
    told = answer.get_json()

    assert (answer.status_code, told["status"]) == (200, "completed")
    assert [(one["id"], one["outcome"]) for one in told["trace"]] == [
        ("send", "stubbed"),
        ("note", "executed"),
    ]
    assert told["finalVars"]["code"] == 204
    assert told["invocations"][0]["input"]["url"] == "https://x.example"
    assert (told["payloadSource"], told["unusedStubs"]) == ("given", ["nobody"])
    assert counts(store) == before
    assert engine.asked("start") == []


def test_without_a_definition_it_is_the_published_one(operator: Browser, store: Store) -> None:
    schema = {"type": "object", "properties": {"url": {"type": "string", "default": "u"}}}
    builders.published(store, "greet", document=DOCUMENT | {"payloadSchema": schema})
    of, _ = builders.published(store, "other")
    assert of is not None
    with store.writing() as session:
        for version in session.scalars(select(builders.WorkflowDefinitionVersion)):
            version.definition_json = DOCUMENT | {"payloadSchema": schema}
    told = ask(operator).get_json()

    assert told["payloadSource"] == "sample"
    assert told["simulatedPayload"] == {"url": "u"}
    assert ask(operator, "nowhere").status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"definition": []}, "/definition"),
        ({"definition": DOCUMENT, "stubs": []}, "/stubs"),
        ({"definition": DOCUMENT, "more": 1}, "/more"),
        ({"definition": DOCUMENT, "options": {"steps": 0}}, "/options/steps"),
        ({"definition": DOCUMENT, "options": {"steps": 5001}}, "/options/steps"),
        ({"definition": DOCUMENT, "options": {"steps": True}}, "/options/steps"),
        ({"definition": DOCUMENT, "options": {"days": 1}}, "/options/days"),
        ({"definition": DOCUMENT, "stubs": {"send": {"$error": 5}}}, "/stubs/send"),
        ({"definition": DOCUMENT | {"id": "other"}}, "/definition/id"),
        ({"definition": DOCUMENT | {"payloadSchema": {"required": ["a"]}}, "payload": {}}, ""),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(
    operator: Browser, body: dict[str, Any], pointer: str
) -> None:
    answer = ask(operator, **body)
    assert answer.status_code == 422
    problems = answer.get_json()["error"]["problems"]
    assert pointer in [one["pointer"] for one in problems] or (not pointer and problems)


def test_a_document_that_would_be_refused_comes_back_with_its_findings(operator: Browser) -> None:
    answer = ask(operator, definition=DOCUMENT | {"steps": [{"id": "x", "type": "nope"}]})
    assert answer.status_code == 422
    error = answer.get_json()["error"]
    assert error["code"] == "DOCUMENT_REFUSED"
    assert error["findings"][0]["code"] == "UNKNOWN_NODE_TYPE"


def test_who_may_and_how_often(
    operator: Browser, viewer: Browser, anybody: Browser, store: Store
) -> None:
    assert ask(viewer, definition=DOCUMENT).status_code == 403
    body = json.dumps({"definition": DOCUMENT})
    without = operator.client.post("/workflows/greet/simulate", data=body)
    assert without.status_code == 400
    assert anybody.client.post("/workflows/greet/simulate", json={}).status_code in {303, 400}
    answers = [ask(operator, definition=DOCUMENT | {"steps": []}).status_code for _ in range(62)]
    assert answers[-1] == 429


def test_not_strict_json_is_refused(operator: Browser) -> None:
    headers = {"X-CSRFToken": operator.token()}
    for text in (b'{"a": NaN}', b"{", b'{"a": 1, "a": 2}', b"[]", b"\xff"):
        answer = operator.client.post("/workflows/greet/simulate", data=text, headers=headers)
        assert answer.status_code == 422, text
