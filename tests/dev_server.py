"""A Temporal dev server as a process of its own, which a test may kill and start again.

For tests of what happens while Temporal is away; the others share the server of
tests/integration/temporal/conftest.py.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from scripts import find_temporal

_TUNING = (
    "history.transferProcessorMaxPollRPS=10000",
    "history.timerProcessorMaxPollRPS=10000",
    "history.visibilityProcessorMaxPollRPS=10000",
    'history.timerProcessorMaxTimeShift="20ms"',
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)
"""docs/measured.md 2: ten times faster than the defaults."""


class DevServer:
    def __init__(self, directory: Path, *settings: str) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._directory = directory
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when its namespace answers."""
        command = [str(binary()), "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
        command += ["--port", str(self.port), "--http-port", str(free_port())]
        command += ["--metrics-port", str(free_port())]
        command += ["--db-filename", str(self._directory / "temporal.sqlite3")]
        for setting in (*_TUNING, *self._settings):
            command += ["--dynamic-config-value", setting]
        log = (self._directory / "temporal.log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self._wait()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        thread = LoopThread()
        connection = LazyConnection(TemporalOptions(self.address), thread)
        gateway = TemporalRunGateway(connection, lambda: False)
        deadline = time.monotonic() + 30
        while not gateway.reachable():
            if time.monotonic() > deadline:
                raise AssertionError(f"the dev server at {self.address} does not answer")
            time.sleep(0.1)
        thread.stop()


def binary() -> Path:
    """What `make test` found, else what the cache holds; never fetched or built by a test."""
    named = os.environ.get("TEMPORAL_BINARY")
    path = Path(named) if named else find_temporal.cached_binary()
    if not path.exists():
        if os.environ.get("CI"):
            raise AssertionError(f"no Temporal dev server at {path}")
        pytest.skip(f"no Temporal dev server at {path}: `make test` brings it")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
