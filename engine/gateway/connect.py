"""Connecting to Temporal, and calling it from synchronous code (docs/architecture.md 2 and 3).

Two connections with one face. The web and the commands have `LazyConnection`: its own loop thread
and a client that connects at the first call, so that pages work while Temporal is down. A worker
has one client, which its Worker polls with; `WorkerConnection` calls through that one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig
from temporalio.service import KeepAliveConfig, RetryConfig, RPCError, RPCStatusCode

from engine.errors import Unavailable
from engine.gateway.codec import EncryptionCodec
from engine.gateway.loop_thread import LoopThread, wait_for

T = TypeVar("T")
Use = Callable[[Client], Awaitable[T]]
"""What a caller does with the client, on the client's loop."""

CONNECT_TIMEOUT: Final = timedelta(seconds=3)
RPC_TIMEOUT: Final = timedelta(seconds=4)
CALL_TIMEOUT_S: Final = 8.0
"""For a whole call with its repetitions: well below gunicorn's 30 s."""

_KEEP_ALIVE: Final = KeepAliveConfig(interval_millis=12_000, timeout_millis=6_000)
"""A connection that dies without a word is noticed within 18 s; the SDK's own 45 s would keep every
call waiting in vain as long. Temporal refuses whoever asks more often than every 10 s."""

_ASK_AGAIN_S: Final = 1.0

_CONNECT_FAILED: Final = "Failed client connect"
"""How the SDK's bare RuntimeError begins when a lazy client cannot connect."""

_RETRIES: Final = RetryConfig(max_elapsed_time_millis=4000, max_interval_millis=1000)


@dataclass(frozen=True, slots=True)
class TemporalOptions:
    """Where Temporal is and how to get in; made of the settings by a composition root."""

    address: str
    namespace: str = "default"
    tls: bool = False
    api_key: str | None = None
    codec_key: bytes | None = None
    identity: str | None = None
    """Shown as the poller's or the caller's name; None: `<pid>@<host>`."""


class Connection(Protocol):
    options: TemporalOptions

    def call(self, use: Use[T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        """`use(client)`'s result. Raises `Unavailable` when Temporal gives none.

        An RPCError passes when its status says something about what was asked for; which ones do
        is decided by `use`, by catching them itself.
        """


def data_converter(codec_key: bytes | None) -> DataConverter:
    """The same for every client and worker; with a key, what Temporal stores is encrypted."""
    if codec_key is None:
        return DataConverter.default
    return replace(
        DataConverter.default,
        payload_codec=EncryptionCodec(codec_key),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(options: TemporalOptions, *, lazy: bool = False) -> Client:
    """A client. Not lazy: raises RuntimeError when Temporal cannot be reached."""
    return await Client.connect(
        options.address,
        namespace=options.namespace,
        tls=True if options.tls else None,
        api_key=options.api_key,
        data_converter=data_converter(options.codec_key),
        identity=options.identity,
        connect_timeout=CONNECT_TIMEOUT,
        keep_alive_config=_KEEP_ALIVE,
        retry_config=_RETRIES if lazy else None,
        lazy=lazy,
        runtime=_runtime(),
    )


async def wait_for_temporal(options: TemporalOptions, say: Callable[[str], None]) -> Client:
    """A connected client, once Temporal answers and the namespace is there; as long as it takes.

    `say` hears why it is still waiting: whenever that changes, and every half minute.
    """
    waited, said = 0.0, ""
    while True:
        try:
            client = await connect(options)
            request = DescribeNamespaceRequest(namespace=options.namespace)
            await client.workflow_service.describe_namespace(request, timeout=RPC_TIMEOUT)
        except (RPCError, RuntimeError, TimeoutError) as error:
            why = _why_waiting(options, error)
            if why != said or waited % 30 < _ASK_AGAIN_S:
                say(why)
            said = why
        else:
            return client
        await asyncio.sleep(_ASK_AGAIN_S)
        waited += _ASK_AGAIN_S


def _why_waiting(options: TemporalOptions, error: Exception) -> str:
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return (
            f"Temporal at {options.address} has no namespace {options.namespace!r}: "
            "create it, or set TEMPORAL_NAMESPACE."
        )
    status = f"{error.status.name}: " if isinstance(error, RPCError) else ""
    reason = f"{status}{error}"
    return f"Temporal at {options.address} does not answer ({reason[:200]}). Waiting for it."


class LazyConnection:
    """For processes that only call Temporal: one client and one loop thread a process."""

    def __init__(self, options: TemporalOptions, thread: LoopThread | None = None) -> None:
        self.options = options
        self._thread = thread or PROCESS_LOOP
        self._client: tuple[asyncio.AbstractEventLoop, Client] | None = None

    def call(self, use: Use[T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        with as_unavailable(self.options.address):
            return self._thread.run(self._used(use), timeout_s)

    async def _used(self, use: Use[T]) -> T:
        return await use(await self._current_client())

    async def _current_client(self) -> Client:
        """The client of this loop: another loop means that the process has been forked."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            self._client = loop, await connect(self.options, lazy=True)
        return self._client[1]


class WorkerConnection:
    """For threads of a worker: calls through the worker's own client, on the worker's loop."""

    def __init__(
        self, options: TemporalOptions, client: Client, loop: asyncio.AbstractEventLoop
    ) -> None:
        """To be made on the thread that runs `loop`."""
        self.options = options
        self._client = client
        self._loop = loop
        self._loop_thread = threading.get_ident()

    def call(self, use: Use[T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        if threading.get_ident() == self._loop_thread:
            raise RuntimeError("a call to Temporal would wait for the thread that it runs on")
        with as_unavailable(self.options.address):
            used: Coroutine[Any, Any, T] = self._used(use)
            return wait_for(asyncio.run_coroutine_threadsafe(used, self._loop), timeout_s)

    async def _used(self, use: Use[T]) -> T:
        return await use(self._client)


@contextmanager
def as_unavailable(address: str) -> Iterator[None]:
    """Whatever keeps Temporal from answering becomes `Unavailable`, with the cause in details."""
    try:
        yield
    except RPCError as error:
        raise _unavailable(address, f"{error.status.name}: {error.message}") from error
    except TimeoutError as error:
        raise _unavailable(address, "no answer in time") from error
    except CancelledError as error:
        raise _unavailable(address, "this process is stopping") from error
    except RuntimeError as error:
        if not str(error).startswith(_CONNECT_FAILED):
            raise
        raise _unavailable(address, str(error)) from error


def _unavailable(address: str, cause: str) -> Unavailable:
    return Unavailable(
        f"Temporal at {address} does not answer.",
        code="TEMPORAL_UNAVAILABLE",
        details={"address": address, "cause": cause[:500]},
    )


PROCESS_LOOP: Final = LoopThread()
"""The one background loop of this process."""

_LOGS: Final = LoggingConfig(
    filter=LoggingConfig.default.filter,
    forwarding=LogForwardingConfig(
        logging.getLogger("temporalio.core"), append_target_to_name=False
    ),
)
"""The SDK's warnings go where ours go. By itself it writes them to standard output, on the thread
that serves every run: all of them stand still when nobody reads there (docs/measured.md 2)."""

_runtimes: list[tuple[int, Runtime]] = []
"""By process id. One inherited through a fork is dead but must not be dropped: that can hang."""


def _runtime() -> Runtime:
    """The SDK's threads of this process; its default would be the parent's after a fork."""
    pid = os.getpid()
    if not _runtimes or _runtimes[-1][0] != pid:
        _runtimes.append((pid, Runtime(telemetry=TelemetryConfig(logging=_LOGS))))
    return _runtimes[-1][1]
