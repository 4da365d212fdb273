"""A file in the data folder in which a worker says whether it is ready, for probes on its host.

Written every other second by a thread that waits for nothing else: a young file proves that the
process lives. Nothing heavy is imported here: a probe is a process of its own, every few seconds.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WRITE_EVERY_S: Final = 2.0
STALE_AFTER_S: Final = 10.0
"""So old a file was left behind by a process that is gone, or that hangs."""

_NAME: Final = "worker-{pid}.json"


@dataclass(frozen=True, slots=True)
class Said:
    pid: int
    ready: bool
    because: str | None
    """Why it is not ready."""


class WorkerFile:
    """Of this process. A folder that cannot be written to keeps no worker from its work."""

    def __init__(self, folder: Path, because: Callable[[], str | None]) -> None:
        self._path = folder / _NAME.format(pid=os.getpid())
        self._because = because
        self._forget_the_dead()

    def write(self) -> None:
        because = self._because()
        said = {"pid": os.getpid(), "at": time.time(), "ready": because is None, "because": because}
        beside = self._path.with_suffix(".new")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(said))
            beside.replace(self._path)

    def remove(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _forget_the_dead(self) -> None:
        for path in self._path.parent.glob(_NAME.format(pid="*")):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > STALE_AFTER_S:
                    path.unlink()


def workers_of(folder: Path) -> list[Said]:
    """The workers that live here."""
    living = []
    for path in sorted(folder.glob(_NAME.format(pid="*"))):
        with suppress(OSError, ValueError, KeyError):
            said = json.loads(path.read_text())
            if abs(time.time() - said["at"]) <= STALE_AFTER_S:
                living.append(Said(said["pid"], said["ready"], said["because"]))
    return living
