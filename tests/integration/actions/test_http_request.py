"""`http.request` against real servers on loopback."""

from __future__ import annotations

import dataclasses
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.actions.action import ActionContext, Interrupted
from engine.actions.addresses import AddressPolicy
from engine.actions.http_request import http_request
from engine.actions.perform import perform, prepare
from engine.actions.secrets import Secrets
from engine.errors import Category, StepFailed
from engine.runs.redaction import MASK
from tests.integration.actions.servers import Handler, HttpServer, http_server, unused_port

CONTEXT = ActionContext(
    run_id="r", idempotency_key="key-1", now=datetime(2026, 6, 9, 12, tzinfo=UTC), timeout_s=10
)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with http_server() as running:
        yield running


def call(
    url: str,
    method: str = "GET",
    *,
    policy: AddressPolicy | None = None,
    context: ActionContext = CONTEXT,
    may_repeat: bool = True,
    environ: dict[str, str] | None = None,
    **fields: Any,
) -> Any:
    action = http_request(policy or AddressPolicy())
    secrets = Secrets(environ or {}).opened()
    prepared = prepare(action, {"method": method, "url": url, **fields}, secrets)
    return perform(action, prepared, context, secrets, may_repeat=may_repeat)


def failure(*args: Any, **kwargs: Any) -> StepFailed:
    with pytest.raises(StepFailed) as failed:
        call(*args, **kwargs)
    return failed.value


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


# -- redirects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [(301, "GET", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"),
     (308, "PUT", "PUT")],
)  # fmt: skip
def test_a_redirect_on_the_same_host_is_followed(
    server: HttpServer, status: int, method: str, then: str
) -> None:
    server.routes["/old"] = lambda h: h.give(status, b"", Location="/new")
    server.routes["/new"] = lambda h: h.give(200, b"here")
    body = {"a": 1} if method != "GET" else None
    assert call(f"{server.url}/old", method, body=body)["body"] == "here"
    assert [seen.method for seen in server.seen] == [method, then]
    assert server.seen[1].headers["Idempotency-Key"] == "key-1"
    assert (server.seen[1].body != b"") == (then == method and body is not None)


def test_a_redirect_to_another_host_or_port_is_refused(server: HttpServer) -> None:
    with http_server() as other:
        other.routes["/"] = lambda h: h.give(200, b"stolen")
        for target in (f"{other.url}/", f"http://localhost:{server.server_port}/"):
            server.routes["/"] = lambda h, to=target: h.give(302, b"", Location=to)  # type: ignore[misc]
            failed = failure(f"{server.url}/", headers={"authorization": "Bearer x"})
            assert (failed.category, failed.code) == (Category.ACTION, "REDIRECT_REFUSED")
        assert other.seen == []


def test_redirects_are_capped(server: HttpServer) -> None:
    server.routes["/"] = lambda h: h.give(302, b"", Location="/")
    assert failure(f"{server.url}/").code == "TOO_MANY_REDIRECTS"
    assert len(server.seen) == 6


def test_a_redirect_without_a_place_is_an_answer(server: HttpServer) -> None:
    server.routes["/"] = lambda h: h.give(304)
    assert call(f"{server.url}/")["status"] == 304


# -- addresses -----------------------------------------------------------------------------------


def test_loopback_is_denied_in_production_unless_allowed(server: HttpServer) -> None:
    server.routes["/"] = lambda h: h.give(200)
    failed = failure(f"{server.url}/", policy=AddressPolicy(production=True))
    assert (failed.category, failed.code) == (Category.ACTION, "ADDRESS_DENIED")
    named = f"http://localhost:{server.server_port}/"
    assert failure(named, policy=AddressPolicy(production=True)).code == "ADDRESS_DENIED"
    assert server.seen == []
    allowed = AddressPolicy(production=True, allow=("127.0.0.0/8",))
    assert call(f"{server.url}/", policy=allowed)["status"] == 200


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fe80::1]",
     "2852039166", "0xa9fea9fe", "169.254.43518"],
)  # fmt: skip
def test_metadata_is_never_reached_however_it_is_written(host: str) -> None:
    failed = failure(f"http://{host}/latest/meta-data/", policy=AddressPolicy(allow=("0.0.0.0/0",)))
    assert (failed.category, failed.code) == (Category.ACTION, "ADDRESS_DENIED")


def test_the_judged_address_is_the_one_that_is_connected_to(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when judged and private when connected to gains nothing."""
    answers = iter([["203.0.113.7"], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in next(answers)]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    policy = AddressPolicy(production=True, allow=("203.0.113.7",))
    url = f"http://rebind.example:{server.server_port}/"
    fast = dataclasses.replace(CONTEXT, timeout_s=1)
    assert failure(url, policy=policy, context=fast).category in {
        Category.TRANSIENT,
        Category.TIMEOUT,
    }
    assert asked == ["rebind.example"]
    assert failure(url, policy=policy).code == "ADDRESS_DENIED"
    assert server.seen == []


def test_the_addresses_of_a_name_that_are_not_denied_are_tried(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/"] = lambda h: h.give(200, h.headers["Host"].encode())
    real = socket.getaddrinfo
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("169.254.1.1", "127.0.0.1")
    ]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *a, **k: found if host == "two.example" else real(host, *a, **k),
    )
    url = f"http://two.example:{server.server_port}/"
    assert call(url)["body"] == f"two.example:{server.server_port}"


def test_environment_proxies_are_not_used(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{unused_port()}")
    server.routes["/"] = lambda h: h.give(200)
    assert call(f"{server.url}/")["status"] == 200


# -- time and cancellation -----------------------------------------------------------------------


def wait_for_the_client_to_leave(handler: Handler) -> None:
    readable, _, _ = select.select([handler.connection], [], [], 8)
    if readable and handler.connection.recv(1) == b"":
        handler.server.gone.set()
    handler.close_connection = True


def drip(handler: Handler) -> None:
    handler.give(200, b"", Content_Length="100000")
    for _ in range(200):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("slow", [wait_for_the_client_to_leave, drip])
def test_the_whole_call_has_a_time_limit(server: HttpServer, slow: Any) -> None:
    server.routes["/"] = slow
    began = time.monotonic()
    failed = failure(f"{server.url}/", context=dataclasses.replace(CONTEXT, timeout_s=0.5))
    assert time.monotonic() - began < 2
    assert (failed.category, failed.code) == (Category.TIMEOUT, "TIMEOUT")


def cancelled_soon() -> ActionContext:
    cancelled = threading.Event()
    timer = threading.Timer(0.3, cancelled.set)
    timer.daemon = True
    timer.start()
    return dataclasses.replace(CONTEXT, cancelled=cancelled.is_set)


def test_cancelling_closes_the_connection(server: HttpServer) -> None:
    server.routes["/"] = wait_for_the_client_to_leave
    began = time.monotonic()
    failed = failure(f"{server.url}/", "GET", context=cancelled_soon())
    assert time.monotonic() - began < 1.5
    assert failed.category is Category.CANCELLATION
    assert server.gone.wait(2)


def test_cancelling_a_post_under_way_leaves_its_outcome_unknown(server: HttpServer) -> None:
    server.routes["/"] = wait_for_the_client_to_leave
    with pytest.raises(Interrupted):
        call(f"{server.url}/", "POST", context=cancelled_soon())
    assert server.gone.wait(2)


def test_nothing_is_sent_for_a_run_that_is_cancelled(server: HttpServer) -> None:
    server.routes["/"] = lambda h: h.give(200)
    context = dataclasses.replace(CONTEXT, cancelled=lambda: True)
    assert failure(f"{server.url}/", context=context).category is Category.CANCELLATION
    assert server.seen == []


# -- secrets -------------------------------------------------------------------------------------


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
