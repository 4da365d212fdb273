"""`worker.py` as a process of its own, as the product runs it: what it says, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.studio import Studio

ROOT = Path(__file__).resolve().parents[1]


class WorkerProcess:
    def __init__(self, directory: Path, **settings: str) -> None:
        self.log = directory / "worker.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "worker.py"],
                cwd=ROOT,
                env={**os.environ, "DATA_DIR": str(directory), **settings},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def says(self, text: str, timeout_s: float = 30) -> None:
        Studio.eventually(lambda: text in self.said or self.process.poll() is not None, timeout_s)
        assert text in self.said, self.said

    def ends(self, timeout_s: float = 30) -> int:
        return self.process.wait(timeout_s)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Exit code, and how long it took to leave."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.ends(), time.monotonic() - began


@contextmanager
def worker(directory: Path, **settings: str) -> Iterator[WorkerProcess]:
    running = WorkerProcess(directory, **settings)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
