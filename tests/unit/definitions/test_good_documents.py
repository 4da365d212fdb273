"""Documents that are right have no findings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.definitions.sample import (
    FULL,
    SEND,
    assign,
    branch,
    call,
    check,
    child,
    document,
    expr,
    loop,
    wait,
)

GOOD = [
    document(),
    document(call(), name="Ünïcode", description="", version=3, concurrencyLimit=5),
    document(call(**SEND, inputMapping=FULL, saveAs="sent")),
    document(call(**SEND, inputMapping={"to": expr("payload.to"), "subject": expr("'x'")})),
    document(call(**SEND, inputMapping=FULL | {"options": None})),
    document(call(**SEND, inputMapping=FULL | {"options": {"name": expr("'x'")}})),
    document(call(**SEND, inputMapping=FULL | {"extra": {"any": [1, expr("1")]}})),
    document(call(inputMapping={"token": {"$secret": "API_KEY"}})),
    document(call(idempotencyKey=expr("payload.id"), timeoutMs=86_400_000)),
    document(call(onError={"policy": "continue"})),
    document(
        call()
        | {
            "name": "Say it",
            "onError": {"policy": "continue"},
            "retry": {"maxAttempts": 3, "backoffMs": 0, "backoffMultiplier": 1.5, "jitter": False,
                      "maxDelayMs": 100, "retryOn": ["ActionError", "TimeoutError"]},
        }
    ),
    document(assign(**{"payload.a": expr("1"), "/b/c": expr("2"), "meta.m": expr("3"),
                       "error.e": expr("4"), "vars.v": expr("v ?? 1")})),
    document({"id": "s", "type": "state.set", "config": {"state": "half way"}}),
    document(branch(call()), call("after")),
    document(branch(call("a"), **{"else": [call("b")]})),
    document(loop(assign(**{"vars.y": expr("item.y & index & loop.z")}), itemVar="loop")),
    document(loop(concurrency=50)),
    document(child(inputMapping={"ticket": expr("'x'")})),
    document(child(workflowId="chain-2")),
    document(loop(itemVar="item", onItemError="continue"),
             assign(**{"vars.e": expr("loopErrors")})),
    document({"id": "t", "type": "control.tryCatch", "try": [call("a")], "catch": [],
              "captureErrorAs": "why"}, assign(**{"vars.m": expr("why.message & error.code")})),
    document({"id": "r", "type": "control.return"}),
    document(wait(mode="duration", durationMs=1000), assign(**{"vars.d": expr("timeWait.dueAt")})),
    document(wait(mode="duration", durationMs=315_360_000_000)),
    document(wait(mode="until", until=expr("payload.at"), assign={"vars.x": expr("1")})),
    document(call(saveAs="a.b"),
             assign(**{"vars.c": expr("a.b & vars.a.b & system.runId & meta.state")})),
    document(call(designerTileKind="ai", designerGroupKey="g"), designerLayout={"x": 1}),
    document(call() | {"designerPosition": [1, 2]}),
    document(payloadSchemaRef="payload.Empty.v1"),
    document(redact=["/payload/a", "/vars/result/token", "/payload/a~1b"]),
]  # fmt: skip


@pytest.mark.parametrize("data", GOOD, ids=lambda data: str(data["steps"])[:60])
def test_a_good_document_has_no_findings(data: Any) -> None:
    assert check(data) == []
