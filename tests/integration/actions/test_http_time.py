"""`http.request` ends in time, and when it is cancelled."""

from __future__ import annotations

import dataclasses
import select
import threading
import time
from typing import Any

import pytest

from engine.actions.action import ActionContext, Interrupted
from engine.errors import Category
from tests.integration.actions.http_calls import CONTEXT, call, failure
from tests.integration.actions.servers import Handler, HttpServer


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
