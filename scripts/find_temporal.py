"""Find a Temporal dev server binary, or get one; print its path (docs/architecture.md 9).

In this order: `TEMPORAL_ADDRESS` (use that service: no binary is needed) · `temporal` on PATH ·
our cache · the SDK's own download · built by Go. It says what it does and which way it took, on
standard error. The cache is the user's, outside the repository, so that every checkout shares it.

    python -m scripts.find_temporal           the path on standard output; 1 when no way works
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts import obtain_temporal
from scripts.obtain_temporal import OLDEST_GO, NotObtained, dotted

OLDEST_SERVER = (1, 27)
"""The first with everything we ask of it: conflict policies, updates, task queue figures."""

_SERVER_VERSION = re.compile(r"Server (\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """Exactly one of the two is set."""

    way: str
    binary: Path | None = None
    address: str | None = None


class NoTemporal(Exception):
    """No way worked. The message lists what was tried and what would help."""


@dataclass(slots=True)
class Tried:
    """What did not work, and why: one line a way."""

    lines: list[str] = field(default_factory=list)
    quiet: bool = False

    def add(self, way: str, why: str) -> None:
        self.lines.append(f"  - {way}: {why}")
        if not self.quiet:
            say(f"{way}: {why}")

    def message(self) -> str:
        return "\n".join(
            [
                "No Temporal server was found, and none could be made. Tried:",
                *self.lines,
                "Any one of these helps:",
                "  - set TEMPORAL_ADDRESS=host:port to a Temporal service that runs already",
                "  - put the `temporal` command on PATH (https://docs.temporal.io/cli)",
                f"  - put its binary at {cached_binary()}",
                f"  - install Go {dotted(OLDEST_GO)} or newer with a module proxy: it is built",
            ]
        )


def say(text: str) -> None:
    print(f"temporal: {text}", file=sys.stderr, flush=True)


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    base = environment.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    return root / "run-studio" / "bin"


def cached_binary(environment: Mapping[str, str] = os.environ) -> Path:
    return cache_dir(environment) / "temporal"


def find(environment: Mapping[str, str] = os.environ) -> Found:
    """The Temporal to use. Raises `NoTemporal`; may take minutes the first time."""
    address = environment.get("TEMPORAL_ADDRESS")
    if address:
        return Found("TEMPORAL_ADDRESS", address=address)
    tried = Tried()
    found = _on_path(environment, tried) or _cached(environment)
    if found is not None:
        return found
    with _only_one(cache_dir(environment)):
        # Another process may have made it while this one waited.
        found = _cached(environment)
        if found is None:
            tried.lines.append(f"  - our cache ({cached_binary(environment)}): nothing there")
            found = _obtained(environment, tried)
    if found is None:
        raise NoTemporal(tried.message())
    return found


def at_hand(environment: Mapping[str, str] = os.environ) -> Path | None:
    """A binary that needs no work: on PATH, or in our cache. Silent, and at once."""
    found = _on_path(environment, Tried(quiet=True)) or _cached(environment)
    return found.binary if found else None


def why_unusable(binary: Path) -> str | None:
    """None when it is a Temporal CLI with a server that is new enough."""
    try:
        asked = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({error})"
    version = _SERVER_VERSION.search(asked.stdout)
    if asked.returncode != 0 or version is None:
        return "is not a Temporal CLI with a development server"
    server = (int(version[1]), int(version[2]))
    if server < OLDEST_SERVER:
        return f"has Server {dotted(server)}, older than {dotted(OLDEST_SERVER)}"
    return None


def _on_path(environment: Mapping[str, str], tried: Tried) -> Found | None:
    name = shutil.which("temporal", path=environment.get("PATH"))
    if name is None:
        tried.lines.append("  - temporal on PATH: there is none")
        return None
    unusable = why_unusable(Path(name))
    if unusable:
        tried.add(f"temporal on PATH ({name})", unusable)
        return None
    return Found("temporal on PATH", binary=Path(name))


def _cached(environment: Mapping[str, str]) -> Found | None:
    binary = cached_binary(environment)
    # It was looked at when it was put there, and is not executed again here: that takes time.
    return Found("our cache", binary=binary) if os.access(binary, os.X_OK) else None


def _obtained(environment: Mapping[str, str], tried: Tried) -> Found | None:
    ways = {
        "the SDK's own download": obtain_temporal.download,
        "built from its Go module": obtain_temporal.build,
    }
    for left_behind in cache_dir(environment).glob(".making-*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    for way, obtain in ways.items():
        workshop = cache_dir(environment) / f".making-{os.getpid()}"
        try:
            workshop.mkdir(parents=True, exist_ok=True)
            _checked(obtain(workshop, environment, say)).replace(cached_binary(environment))
        except (NotObtained, OSError) as error:
            tried.add(way, str(error))
        else:
            say(f"{way}: kept at {cached_binary(environment)}")
            return Found(way, binary=cached_binary(environment))
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
    return None


def _checked(binary: Path) -> Path:
    unusable = why_unusable(binary)
    if unusable:
        raise NotObtained(f"what came of it {unusable}")
    return binary


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Two processes that start at once build it once: the second waits, then finds it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("w")
    except OSError as error:
        raise NoTemporal(f"The cache folder {directory} cannot be written: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is getting it; waiting for that one")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    try:
        found = find()
    except NoTemporal as error:
        print(error, file=sys.stderr)
        return 1
    say(f"{found.binary or found.address} ({found.way})")
    print(found.binary or found.address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
