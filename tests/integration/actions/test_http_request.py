"""`http.request` against real servers on loopback: what is sent, and what answers mean."""

from __future__ import annotations

import dataclasses
import json
import socket
from typing import Any

import pytest

from engine.errors import Category
from engine.runs.redaction import MASK
from tests.integration.actions.http_calls import CONTEXT, call, failure
from tests.integration.actions.servers import Handler, HttpServer, unused_port


def test_a_json_answer_is_parsed_and_headers_are_lower_case(server: HttpServer) -> None:
    server.routes["/a"] = lambda h: h.give(
        201, b'{"id": [1, "\xc3\xbc"]}', Content_Type="application/json", X_Trace="t-1"
    )
    output = call(f"{server.url}/a?x=1", "POST", query={"y": 2}, body={"n": 1})
    assert output["status"] == 201
    assert output["body"] == {"id": [1, "ü"]}
    assert output["headers"]["x-trace"] == "t-1"
    [seen] = server.seen
    assert (seen.method, seen.path) == ("POST", "/a?x=1&y=2")
    assert json.loads(seen.body) == {"n": 1}
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["Idempotency-Key"] == "key-1"
    assert seen.headers["Content-Length"] == "7"


def test_text_is_sent_as_it_is_and_the_authors_headers_win(server: HttpServer) -> None:
    server.routes["/"] = lambda h: h.give(200, b"<ok/>", Content_Type="application/xml")
    output = call(
        f"{server.url}/",
        "PUT",
        body="<ü/>",
        headers={"content-type": "application/xml", "Idempotency-Key": "own", "X-Ü"[:2]: 5},
    )
    assert output["body"] == "<ok/>"
    [seen] = server.seen
    assert seen.body == "<ü/>".encode()
    assert seen.headers["content-type"] == "application/xml"
    assert {k.lower(): v for k, v in seen.headers.items()}["idempotency-key"] == "own"


def test_an_authors_key_that_is_no_header_value_is_sent_as_its_hash(server: HttpServer) -> None:
    server.routes["/"] = lambda h: h.give(200)
    for key in ("ü", "a\r\nX-Other: 1", "k" * 300):
        call(f"{server.url}/", context=dataclasses.replace(CONTEXT, idempotency_key=key))
    sent = [seen.headers["Idempotency-Key"] for seen in server.seen]
    assert [len(each) for each in sent] == [64, 64, 64]
    assert len(set(sent)) == 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PATCH"])
def test_every_method_is_sent_and_an_empty_answer_is_null(server: HttpServer, method: str) -> None:
    server.routes["/"] = lambda h: h.give(200)
    assert call(f"{server.url}/", method)["body"] is None
    assert server.seen[0].method == method


@pytest.mark.parametrize(
    ("status", "category"),
    [(s, Category.TRANSIENT) for s in (408, 425, 429, 500, 502, 503, 504, 599)]
    + [(s, Category.ACTION) for s in (400, 401, 403, 404, 409, 410, 418, 422)],
)
def test_the_status_decides_the_category(
    server: HttpServer, status: int, category: Category
) -> None:
    server.routes["/"] = lambda h: h.give(status, b'{"why": "so"}', Content_Type="application/json")
    failed = failure(f"{server.url}/")
    assert failed.category is category
    assert failed.code == f"HTTP_{status}"
    assert failed.details == {"status": status, "body": {"why": "so"}}


@pytest.mark.parametrize(
    ("header", "after"), [("7", 7_000), ("Tue, 09 Jun 2026 12:01:00 GMT", 60_000)]
)
def test_retry_after_travels_with_a_transient_failure(
    server: HttpServer, header: str, after: int
) -> None:
    server.routes["/busy"] = lambda h: h.give(429, b"", Retry_After=header)
    server.routes["/wrong"] = lambda h: h.give(403, b"", Retry_After=header)
    assert failure(f"{server.url}/busy").details["retryAfterMs"] == after
    assert "retryAfterMs" not in failure(f"{server.url}/wrong").details


def test_the_body_of_a_failure_is_cut_at_4_kib(server: HttpServer) -> None:
    server.routes["/text"] = lambda h: h.give(500, b"x" * 10_000)
    server.routes["/endless"] = lambda h: h.give(500, b"y" * 6_000_000)
    assert failure(f"{server.url}/text").details["body"] == "x" * 4096
    assert failure(f"{server.url}/endless").details["body"] == "y" * 4096


def test_an_answer_above_4_mib_is_an_action_error(server: HttpServer) -> None:
    limit = 4 * 1024 * 1024
    server.routes["/large"] = lambda h: h.give(200, b"x" * (limit + 1))
    failed = failure(f"{server.url}/large")
    assert failed.category is Category.ACTION
    assert failed.code == "ANSWER_TOO_LARGE"


def test_a_compressed_answer_is_read(server: HttpServer) -> None:
    import gzip

    packed = gzip.compress(b'{"a": 1}')
    server.routes["/"] = lambda h: h.give(
        200, packed, Content_Encoding="gzip", Content_Type="application/json"
    )
    assert call(f"{server.url}/")["body"] == {"a": 1}


def test_no_connection_is_transient() -> None:
    failed = failure(f"http://127.0.0.1:{unused_port()}/", "POST", may_repeat=False)
    assert (failed.category, failed.code) == (Category.TRANSIENT, "NO_CONNECTION")
    failed = failure("http://no-such-host.invalid/")
    assert (failed.category, failed.code) == (Category.TRANSIENT, "NO_CONNECTION")


def hang_up(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def half(handler: Handler) -> None:
    handler.give(200, b"half", Content_Length="100")
    handler.wfile.flush()
    hang_up(handler)


@pytest.mark.parametrize("broken", [hang_up, half])
def test_a_lost_answer_is_unknown_unless_the_call_may_be_repeated(
    server: HttpServer, broken: Any
) -> None:
    server.routes["/"] = broken
    assert failure(f"{server.url}/", "POST").category is Category.TRANSIENT
    failed = failure(f"{server.url}/", "POST", may_repeat=False)
    assert failed.category is Category.OUTCOME_UNKNOWN


def test_a_secret_is_sent_and_its_echo_is_masked(server: HttpServer) -> None:
    def echo(handler: Handler) -> None:
        text = json.dumps({"you sent": handler.headers["Authorization"], "at": handler.path})
        handler.give(200, text.encode(), Content_Type="application/json", X_Echo="s3cr3t-value")

    server.routes["/"] = echo
    server.routes["/fails"] = lambda h: h.give(500, b"token s3cr3t-value is bad")
    environ = {"SECRET_TOKEN": "s3cr3t-value"}
    headers = {"authorization": {"$secret": "TOKEN"}}
    output = call(f"{server.url}/", environ=environ, headers=headers)
    assert server.seen[0].headers["authorization"] == "s3cr3t-value"
    assert output["body"]["you sent"] == MASK
    assert output["headers"]["x-echo"] == MASK
    failed = failure(f"{server.url}/fails", environ=environ, headers=headers)
    assert failed.details["body"] == f"token {MASK} is bad"


def test_no_failure_repeats_the_url_with_its_password() -> None:
    url = f"http://user:hunter2@127.0.0.1:{unused_port()}/?token=hunter2"
    assert "hunter2" not in str(failure(url).as_data())
