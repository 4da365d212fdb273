"""A connection to a judged address that can be ended from outside (http.request).

httpx resolves and connects in one step; here the step is taken apart, so that exactly the address
that was judged is connected to. TLS still verifies the name that was asked for.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, Self

import httpcore
import httpx

from engine.actions.addresses import AddressPolicy
from engine.errors import Category, StepFailed

CONNECT_TIMEOUT_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.1


class Ended(StrEnum):
    """Why a connection was ended from outside."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"


class NoConnection(StepFailed):
    """Nothing has been sent."""

    def __init__(self, message: str) -> None:
        super().__init__(Category.TRANSIENT, message, code="NO_CONNECTION")


class Lifeline:
    """Ends all connections of a call when it is cancelled or its time is over.

    A thread that waits in a socket sees neither; so another one looks, and shuts the socket down.
    """

    def __init__(self, cancelled: Callable[[], bool], timeout_s: float) -> None:
        self._cancelled = cancelled
        self._deadline = time.monotonic() + timeout_s
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.ended: Ended | None = None
        self.connected = False
        """From then on something may have been sent."""

    @property
    def left_s(self) -> float:
        return max(0.05, self._deadline - time.monotonic())

    def __enter__(self) -> Self:
        threading.Thread(target=self._look, name="http-lifeline", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with self._lock:
            for held in self._sockets:
                held.close()
            self._sockets.clear()

    def hold(self, connected: socket.socket) -> None:
        """A duplicate is kept: TLS takes the socket itself over."""
        self.connected = True
        with self._lock:
            self._sockets.append(socket.socket(fileno=socket.dup(connected.fileno())))
        if self.ended is not None:
            self._shut_down()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            if self._cancelled():
                self.ended = Ended.CANCELLED
            elif time.monotonic() >= self._deadline:
                self.ended = Ended.TIMED_OUT
            if self.ended is not None:
                self._shut_down()
                return

    def _shut_down(self) -> None:
        with self._lock:
            for held in self._sockets:
                try:
                    held.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has been closed by the other side
                    continue


class _JudgedBackend(httpcore.NetworkBackend):
    """Connects to an address of the name that the policy does not refuse."""

    def __init__(self, policy: AddressPolicy, lifeline: Lifeline) -> None:
        self._policy = policy
        self._lifeline = lifeline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._judged(host, port):
            try:
                stream = self._plain.connect_tcp(address, port, timeout, None, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            self._lifeline.hold(stream.get_extra_info("socket"))
            return stream
        raise NoConnection(f"No connection to {host}:{port}: {failure}.") from failure

    def _judged(self, host: str, port: int) -> list[str]:
        """Raises ActionError ADDRESS_DENIED when no address of the name is left."""
        addresses = _resolved(host, port)
        refusals = [self._policy.refusal(host, address) for address in addresses]
        left = [each for each, why in zip(addresses, refusals, strict=True) if why is None]
        if left:
            return left
        raise StepFailed(
            Category.ACTION,
            f"{host} must not be reached: {refusals[0]}.",
            code="ADDRESS_DENIED",
            details={"host": host},
        )


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoConnection(f"The name {host} cannot be resolved: {error}.") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class JudgedTransport(httpx.BaseTransport):
    """httpx's transport over judged connections; raises httpcore's exceptions and `StepFailed`."""

    def __init__(self, policy: AddressPolicy, lifeline: Lifeline, tls: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=1,
            network_backend=_JudgedBackend(policy, lifeline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answered = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=answered.status, headers=answered.headers, stream=_Body(answered)
        )

    def close(self) -> None:
        self._pool.close()
