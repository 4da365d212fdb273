"""The network of the drills breaks as a network does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.drills.proxy import Proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """To a server that says everything back."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            there, _ = server.accept()
            threading.Thread(target=echo, args=(there,), daemon=True).start()

    def echo(there: socket.socket) -> None:
        while data := there.recv(100):
            there.sendall(data)

    threading.Thread(target=answer, daemon=True).start()
    proxy = Proxy(f"127.0.0.1:{server.getsockname()[1]}")
    yield proxy
    proxy.close()


def connected(proxy: Proxy) -> socket.socket:
    there = socket.create_connection(("127.0.0.1", proxy.port), timeout=0.3)
    there.sendall(b"a")
    assert there.recv(1) == b"a"
    return there


def test_what_is_cut_is_reset_and_leads_nowhere(proxy: Proxy) -> None:
    there = connected(proxy)
    proxy.cut()
    assert there.recv(1) == b""
    proxy.mend()
    connected(proxy)


def test_what_is_silent_says_nothing_and_goes_on_where_it_was(proxy: Proxy) -> None:
    there = connected(proxy)
    proxy.silence()
    there.sendall(b"b")
    with pytest.raises(TimeoutError):
        there.recv(1)
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=0.3)
    proxy.mend()
    there.settimeout(5)
    assert there.recv(1) == b"b"


def test_a_lost_connection_never_speaks_again_and_its_sender_gives_it_up(proxy: Proxy) -> None:
    there = connected(proxy)
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 700)
    proxy.silence()
    there.sendall(b"c")
    proxy.mend(lost=True)
    connected(proxy)
    there.settimeout(5)
    with pytest.raises(OSError, match="Connection timed out"):
        there.recv(1)
