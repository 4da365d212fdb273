"""A network that can be broken: a TCP proxy between two processes, which forwards or does not.

Cut: every connection is reset. Silent: bytes vanish, and nobody is told.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tests.drills import silence

SERVER_NOTICES_S: Final = 30.0
"""When the far side gives a lost connection up, as its own kernel would."""


class Proxy:
    """Listens on a port of its own; `target` is `host:port` or the path of a socket file."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._cut = False
        self._open: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()
        assert self._up.wait(10)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Every connection is reset, and no new one leads anywhere."""
        self._do(self._reset)

    def silence(self) -> None:
        """Nothing passes any more, neither way; new connections get no answer."""
        self._do(self._go_silent)

    def mend(self, *, lost: bool = False) -> None:
        """Everything passes again. `lost`: but not on the connections that were silent."""
        self._do(lambda: self._wake(lost=lost))

    def close(self) -> None:
        self._do(self._reset)
        self._loop.call_soon_threadsafe(self._loop.stop)

    # On the loop

    def _do(self, what: Callable[[], None]) -> None:
        done = threading.Event()

        def act() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(act)
        assert done.wait(10)

    def _reset(self) -> None:
        self._cut = True
        for connection in self._open:
            connection.reset()

    def _go_silent(self) -> None:
        silence.deafen(self._listener)
        for connection in self._open:
            connection.go_silent()

    def _wake(self, *, lost: bool) -> None:
        self._cut = False
        with suppress(OSError):  # it was not silent
            silence.restore(self._listener)
        for connection in self._open:
            if connection.silent and lost:
                self._loop.call_later(SERVER_NOTICES_S, connection.reset)
            elif connection.silent:
                connection.wake()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._forward, sock=self._listener)
        self._loop.run_until_complete(serving)
        self._up.set()
        self._loop.run_forever()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, far_writer)
        self._open.add(connection)
        await asyncio.gather(
            connection.pump(reader, far_writer), connection.pump(far_reader, writer)
        )
        self._open.discard(connection)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._target.startswith("/"):
            return await asyncio.open_unix_connection(self._target)
        host, _, port = self._target.rpartition(":")
        return await asyncio.open_connection(host, int(port))


class _Connection:
    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._near, self._far = near, far
        self._socket: socket.socket = near.get_extra_info("socket")
        self._speaks = asyncio.Event()
        self._speaks.set()

    @property
    def silent(self) -> bool:
        return not self._speaks.is_set()

    def go_silent(self) -> None:
        self._speaks.clear()
        with suppress(OSError):  # it has just been closed
            silence.deafen(self._socket)

    def wake(self) -> None:
        with suppress(OSError):
            silence.restore(self._socket)
        self._speaks.set()

    def reset(self) -> None:
        self._near.transport.abort()
        self._far.transport.abort()
        self._speaks.set()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._speaks.wait()
                writer.write(data)
                await writer.drain()
        await self._speaks.wait()
        with suppress(OSError):
            writer.close()
