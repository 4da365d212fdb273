"""One product a data folder: a lock, what an earlier start left behind, and `running.env`.

The lock is the kernel's and goes with its process, so that a killed product never blocks the next
start. `running.env` is read by `engine.settings`: a command in another shell thereby talks to the
product that runs. It is written when the product is up and removed when it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from scripts.product.terminal import say

LEAVING_S = 10.0


class AlreadyRunning(Exception):
    """Another product uses this data folder."""


class Claim:
    """Holds the data folder until `release`, or until this process is gone."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.running_env = data_dir / "running.env"
        self._children = data_dir / "running.json"
        data_dir.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (data_dir / "running.lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise AlreadyRunning(
                f"Run Studio is running already with the data folder {data_dir}. "
                "Stop that one first, or set DATA_DIR to another folder."
            ) from None
        self.running_env.unlink(missing_ok=True)

    def end_left_behind(self) -> None:
        """End children of a product that was killed. They are known by pid *and* command."""
        try:
            recorded: dict[str, list[str]] = json.loads(self._children.read_text())
        except (OSError, ValueError):
            return
        left = [int(pid) for pid, words in recorded.items() if _is_running(int(pid), words)]
        for pid in left:
            say(f"ending process {pid}, which an earlier start left behind")
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + LEAVING_S
        while any(_is_running(pid, recorded[str(pid)]) for pid in left):
            if time.monotonic() > until:
                for pid in left:
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(pid, signal.SIGKILL)
                return
            time.sleep(0.05)

    def remember(self, pids: Mapping[str, int], marks: Mapping[str, list[str]]) -> None:
        """Which processes are ours, with words that their command lines hold."""
        recorded = {str(pid): marks[name] for name, pid in pids.items()}
        self._children.write_text(json.dumps(recorded))

    def announce(self, variables: Mapping[str, str]) -> None:
        """Write `running.env`; only its owner may read it, for it may hold a password."""
        lines = ["# Written by `make run`; removed when it ends."]
        lines += [f"{name}={_quoted(value)}" for name, value in variables.items()]
        text = "\n".join([*lines, ""])
        descriptor = os.open(self.running_env, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)

    def release(self) -> None:
        self.running_env.unlink(missing_ok=True)
        self._children.unlink(missing_ok=True)
        self._lock.close()


def _is_running(pid: int, words: list[str]) -> bool:
    command = _command_line(pid)
    return bool(command) and all(word in command for word in words)


def _command_line(pid: int) -> str:
    """Empty when there is no such process."""
    try:
        if Path("/proc/self/cmdline").exists():
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            return line.replace(b"\0", b" ").decode(errors="replace")
        ps = ["ps", "-ww", "-p", str(pid), "-o", "args="]
        return subprocess.run(ps, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
