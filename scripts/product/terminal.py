"""What the person at the terminal sees, and how Ctrl-C comes to us."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_COLOURS = {"temporal": 35, "worker": 36, "web": 34, "run-studio": 32}
ONE_REQUEST_S = 1.0
_lock = threading.Lock()


def say(text: str, *, name: str = "run-studio") -> None:
    """One line, with the name of whom it is from before it."""
    label = f"{name:>10} | "
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        label = f"\033[{_COLOURS.get(name, 37)}m{label}\033[0m"
    # The reader may be gone already, and the product must still end cleanly.
    with _lock, suppress(BrokenPipeError, ValueError):
        print(f"{label}{text}", flush=True)


class Stop:
    """Counts requests to stop. A plain number: an Event may deadlock in a signal's handler.

    One Ctrl-C may come as several signals, from the terminal and from `make`: what comes within a
    second is one request.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._last = float("-inf")

    def __bool__(self) -> bool:
        return self.asked > 0

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, _number: int, _frame: object) -> None:
        now = time.monotonic()
        if now - self._last > ONE_REQUEST_S:
            self.asked += 1
        self._last = now


@contextmanager
def ctrl_c_is_ours() -> Iterator[None]:
    """In a terminal, take Ctrl-C away from `make`, so that ending the product is no error of make.

    A process group of our own in the foreground, as a shell gives its jobs. Without a terminal, or
    in the background, nothing is done.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        yield
        return
    before = os.getpgrp()
    try:
        if os.tcgetpgrp(terminal) != before or before == os.getpid():
            yield
            return
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        # Stopping us alone would leave make, and the shell, waiting.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpgrp())
        try:
            yield
        finally:
            os.tcsetpgrp(terminal, before)
            os.setpgid(0, before)
    finally:
        os.close(terminal)
