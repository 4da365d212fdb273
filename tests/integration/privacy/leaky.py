"""A workflow that copies what is masked to every place that a run can keep something.

Each canary stands at a place that a rule masks: a key of the built-in pattern, one of the
installation's patterns, a pointer of the installation or of the document, a secret. From there it
is copied under names that no rule knows.
"""

from __future__ import annotations

import json
from typing import Any

from tests.integration.actions.servers import Handler, HttpServer
from tests.steps import Step, assign, call, expr, loop, try_catch

CANARY = "KNRYWXQZ"
"""What every hidden value holds: short, and in nothing that the product says."""

PASSWORD, PIN_CODE, SEALED, TAX, NOTE, NESTED, NUMBER = (
    f"{CANARY}-{name}-s3cr3t"
    for name in ("password", "pin", "sealed", "tax", "note", "nested", "number")
)
IBAN, TOKEN, ANSWER, EVENT, SECRET, HIRED = (
    f"{CANARY}-{name}-s3cr3t" for name in ("iban", "token", "answer", "event", "secret", "hired")
)
PATTERNS = "pin.?code"
POINTERS = "/payload/installation/sealed,/vars/installed"

PAYLOAD: dict[str, Any] = {
    "name": "Ada",
    "password": PASSWORD,
    "pinCode": PIN_CODE,
    "installation": {"sealed": SEALED},
    "customer": {"taxNumber": TAX, "city": "Bern"},
    "records": [{"name": "a", "note": NOTE}, {"name": "b", "note": f"{NOTE}-2"}],
    "lists": [[{"deep": [{"apiKey": NESTED}]}]],
    "apiKeys": {"of": [NUMBER, {"key": NUMBER}]},
}

CHILD_DOCUMENT: dict[str, Any] = {
    "id": "leaky-child",
    "name": "Leaky child",
    "redact": ["/payload/customer/taxNumber", "/vars/own"],
    "steps": [
        assign("own", own="$uppercase(payload.text)", copied="payload.text"),
        {
            "id": "tell",
            "type": "action.call",
            "config": {
                "actionId": "log.write",
                "version": 1,
                "inputMapping": {
                    "level": "INFO",
                    "message": expr("'called with ' & payload.text & vars.own"),
                },
            },
        },
    ],
}
BY_EVENT_DOCUMENT: dict[str, Any] = {
    "id": "by-event",
    "name": "Started by an event",
    "redact": ["/payload/hidden"],
    "trigger": {
        "type": "event",
        "eventName": "hired",
        "payloadMapping": {
            "hidden": expr("event.payload.token"),
            "plain": expr("'copy of ' & event.payload.token"),
        },
    },
    "steps": [assign("copy", copied="payload.plain")],
}


def leaky(url: str) -> dict[str, Any]:
    tell = {"level": "WARN", "message": expr("'password is ' & payload.password"),
            "context": {"plain": expr("vars.innocent"), "iban": expr("vars.iban")}}  # fmt: skip
    kept = {"namespace": "canary", "key": "k", "value": {"plain": expr("payload.password")}}
    return {
        "id": "leaky",
        "name": "Leaky",
        "payloadSchema": {
            "type": "object",
            "required": ["password"],
            "properties": {"name": {"type": "string"}, "password": {"type": "string"},
                           "customer": {"type": "object"}},
        },
        "redact": ["/payload/customer/taxNumber", "/payload/records", "/vars/found/body/iban",
                   "/vars/kept", "/vars/answered"],
        "steps": [
            _http("fetch", f"{url}/customer", saveAs="found"),
            assign("copy", kept="payload.customer.taxNumber", innocent="payload.password",
                   iban="vars.found.body.iban", installed="payload.name & vars.found.body.iban",
                   both="payload.pinCode & payload.installation.sealed"),
            {"id": "label", "type": "transform.assign", "config": {"assign": {
                "meta.state": expr("'asking ' & payload.password"),
                "payload.noted": expr("payload.customer.taxNumber")}}},
            _call("large", "transform.build_object", saveAs="large", inputMapping={"fields": [
                {"key": "apiKey", "value": expr("$pad(payload.password, 70000, '-')")},
                {"key": "open", "value": expr("vars.innocent")}]}),
            loop("each", "payload.records", _call("see", "log.write", inputMapping={
                "level": "INFO", "message": expr("'saw ' & thing.note")})),
            _call("tell", "log.write", inputMapping=tell),
            _call("keep", "store.set", inputMapping=kept, idempotencyKey=expr("payload.password")),
            try_catch("risk",
                      [_http("refused", f"{url}/refused", body={"x": expr("vars.innocent")})],
                      [assign("caught", why="error.message", details="error.details.body")]),
            try_catch("parse", [_call("bad", "transform.parse_json",
                                      inputMapping={"source": expr("payload.password")})], []),
            try_catch("count", [assign("number", n="$number(payload.password)")], []),
            _http("flaky", f"{url}/flaky", retry={"maxAttempts": 2, "backoffMs": 10}),
            call("below", "leaky-child",
                 {"text": expr("payload.password"), "token": expr("payload.pinCode"),
                  "customer": expr("payload.customer")},
                 {"vars.fromBelow": expr("childRun.vars.copied")}),
            {"id": "ask", "type": "human.task", "config": {
                "title": expr("'Approve ' & payload.password"),
                "description": expr("'for ' & vars.iban"),
                "contextData": {"plain": expr("payload.password"), "iban": expr("vars.iban")},
                "form": {"type": "object", "required": ["secretAnswer"], "properties": {
                    "secretAnswer": {"type": "string", "minLength": 3},
                    "comment": {"type": "string"}, "count": {"type": "integer"}}},
                "assign": {"vars.said": expr("vars.event.comment")}}},
            {"id": "paid", "type": "event.wait", "config": {
                "eventName": "paid", "correlationKey": expr("payload.password"),
                "assign": {"vars.answered": expr("event.text")}}},
            _http("end", expr(f"'{url}/refused?q=' & payload.password"),
                  body={"password": expr("payload.password"), "plain": expr("vars.answered")}),
        ],
    }  # fmt: skip


def stricter(url: str) -> dict[str, Any]:
    """Its next version, which takes none of the values that are hidden."""
    document = leaky(url)
    record = {"properties": {"note": {"type": "number"}}}
    properties = {"name": {"type": "string"}, "password": {"const": "another"},
                  "pinCode": {"type": "string", "maxLength": 3, "pattern": "^[0-9]+$"},
                  "customer": {"properties": {"taxNumber": {"enum": [1, 2]}}},
                  "records": {"maxItems": 1, "items": record}}  # fmt: skip
    return document | {"payloadSchema": {"type": "object", "properties": properties}}


def answers(server: HttpServer) -> None:
    """What the world says: it echoes what it is sent."""
    met: set[str] = set()

    def customer(handler: Handler) -> None:
        echo = {"iban": IBAN, "token": TOKEN, "heard": handler.headers["Authorization"],
                "note": handler.headers["X-Note"]}  # fmt: skip
        handler.give(200, json.dumps(echo).encode(), Content_Type="application/json")

    def refused(handler: Handler) -> None:
        seen = server.seen[-1]
        handler.give(422, b"cannot take " + seen.body + seen.path.encode() + PASSWORD.encode())

    def sometimes(handler: Handler) -> None:
        key = handler.headers["Idempotency-Key"]
        handler.give(200 if key in met else 503, f"no {PASSWORD} now".encode())
        met.add(key)

    server.routes = {"/customer": customer, "/refused": refused, "/flaky": sometimes}


def _call(step_id: str, action: str, **config: Any) -> Step:
    step: Step = {"id": step_id, "type": "action.call",
                  "config": {"actionId": action, "version": 1} | config}  # fmt: skip
    return step


def _http(step_id: str, url: Any, *, body: Any = None, retry: Any = None, **config: Any) -> Step:
    headers = {"authorization": {"$secret": "PIN"}, "x-note": expr("payload.password")}
    asked = {"method": "POST", "url": url, "headers": headers} | ({"body": body} if body else {})
    step = _call(step_id, "http.request", inputMapping=asked, **config)
    return step | ({"retry": retry} if retry else {})
