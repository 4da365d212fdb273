"""One process of the product: started in a group of its own, its output told line by line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from scripts.product.terminal import say

TIED = Path(__file__).with_name("tied.py")
FIRST_LINES, LAST_LINES = 10, 20
"""Remembered: a program that breaks says why first, and where it was in a hundred lines after."""


class Child:
    """A group of its own: Ctrl-C reaches us alone, and we end the children in order."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.started = time.monotonic()
        self._first_lines: list[str] = []
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self.quiet = True
        """Its output is not for the terminal: while the product starts, and while it ends."""
        self._process = subprocess.Popen(
            # -I -S: the little program before the child needs neither packages nor settings.
            [sys.executable, "-I", "-S", str(TIED), *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._tell, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> int | None:
        """Its exit code; None while it runs. Negative: the signal that ended it."""
        return self._process.poll()

    @property
    def said(self) -> list[str]:
        """Its first lines, and its last."""
        return [*self._first_lines, *self._last_lines]

    def ask_to_end(self) -> None:
        self.quiet = True
        # Only itself: gunicorn and Temporal end their own children in order.
        if self.ended() is None:
            self._process.terminate()

    def kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def drain(self) -> None:
        """Wait until what it said last is told."""
        self._reader.join(timeout=1)

    def _tell(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._remember(line.rstrip())
            if not self.quiet:
                say(line.rstrip(), name=self.name)

    def _remember(self, line: str) -> None:
        if len(self._first_lines) < FIRST_LINES:
            self._first_lines.append(line)
        else:
            self._last_lines.append(line)
