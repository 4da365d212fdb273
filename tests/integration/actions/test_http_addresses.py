"""Where `http.request` goes: redirects, and addresses that must not be reached."""

from __future__ import annotations

import dataclasses
import socket
from typing import Any

import pytest

from engine.actions.addresses import AddressPolicy
from engine.errors import Category
from tests.integration.actions.http_calls import CONTEXT, call, failure
from tests.integration.actions.servers import HttpServer, http_server, unused_port


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
