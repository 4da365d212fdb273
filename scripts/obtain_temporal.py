"""The two ways to get a Temporal dev server that is not on the machine: download it, or build it.

Each is given an empty folder to work in, which its caller removes, and answers with the binary's
path in it. A way that cannot work says so within seconds, so that the next one is tried.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

CLI_VERSION = "v1.5.1"
"""CLI 1.5.1 holds Server 1.29.1 and UI 2.42. Later ones cannot be built by `go install`: their
go.mod has `replace`."""
MODULE = f"github.com/temporalio/cli/cmd/temporal@{CLI_VERSION}"
OLDEST_GO = (1, 25)

STALLED_S = 8.0
"""A download that brings no byte for so long cannot work here."""
PROGRESS_S = 10.0
DOWNLOAD_LIMIT_S = 15 * 60
BUILD_LIMIT_S = 30 * 60

Say = Callable[[str], None]


class NotObtained(Exception):
    """This way does not work here; the message says why, in one line."""


_DOWNLOAD = """
import asyncio, os, sys
from temporalio.testing import WorkflowEnvironment

async def main():
    server = await WorkflowEnvironment.start_local(
        download_dest_dir=sys.argv[1], dev_server_download_version=sys.argv[2])
    await server.shutdown()

asyncio.run(main())
os._exit(0)
"""


def download(folder: Path, environment: Mapping[str, str], say: Say) -> Path:
    """The SDK's own download, in a process of its own that ends when nothing arrives."""
    say(f"downloading the Temporal CLI {CLI_VERSION} (about 100 MB)")
    with tempfile.TemporaryFile("w+") as errors:
        loader = subprocess.Popen(
            [sys.executable, "-c", _DOWNLOAD, str(folder), CLI_VERSION],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            _watch_download(loader, folder, say)
        finally:
            loader.kill()
            loader.wait()
        errors.seek(0)
        reason = _last_line(errors.read())
    binaries = [path for path in folder.iterdir() if path.is_file()]
    if loader.returncode != 0 or len(binaries) != 1:
        raise NotObtained(f"cannot download here ({reason or 'nothing arrived'})")
    binaries[0].chmod(0o755)
    return binaries[0]


def _watch_download(loader: subprocess.Popen[bytes], folder: Path, say: Say) -> None:
    started = grew = said = time.monotonic()
    size = 0
    while loader.poll() is None:
        time.sleep(0.1)
        now = time.monotonic()
        arrived = sum(path.stat().st_size for path in folder.iterdir())
        if arrived > size:
            size, grew = arrived, now
        if now - grew > STALLED_S or now - started > DOWNLOAD_LIMIT_S:
            return
        if size and now - said > PROGRESS_S:
            said = now
            say(f"{size / 1e6:.0f} MB")


def build(folder: Path, environment: Mapping[str, str], say: Say) -> Path:
    """`go install` of the official module; its own caches, several GB, are removed after."""
    go = shutil.which("go", path=environment.get("PATH"))
    if go is None:
        raise NotObtained("Go is not installed")
    version = _go_version(go)
    if version < OLDEST_GO:
        raise NotObtained(f"Go {dotted(version)} is older than {dotted(OLDEST_GO)}")
    say(f"building {MODULE} with Go {dotted(version)}: a few minutes, once a user")
    log = folder / "build.log"
    with log.open("w") as output:
        builder = subprocess.Popen(
            [go, "install", "-v", MODULE],
            cwd=folder,
            env=_build_environment(folder, environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
        try:
            _watch_build(builder, log, say)
        finally:
            builder.kill()
            builder.wait()
    if builder.returncode != 0:
        raise NotObtained(f"go install failed ({_last_line(log.read_text()) or 'time limit'})")
    return folder / "bin" / "temporal"


def dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _build_environment(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    return {
        **environment,
        "GOBIN": str(folder / "bin"),
        "GOMODCACHE": str(folder / "modules"),
        "GOCACHE": str(folder / "objects"),
        # The module cache is read-only otherwise, and could not be removed.
        "GOFLAGS": f"{environment.get('GOFLAGS', '')} -modcacherw".strip(),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


def _go_version(go: str) -> tuple[int, int]:
    try:
        asked = subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotObtained(f"{go} does not run ({error})") from error
    version = re.match(r"go(\d+)\.(\d+)", asked.stdout)
    if version is None:
        raise NotObtained(f"{go} does not tell its version")
    return int(version[1]), int(version[2])


def _watch_build(builder: subprocess.Popen[bytes], log: Path, say: Say) -> None:
    started = said = time.monotonic()
    while builder.poll() is None:
        time.sleep(0.2)
        now = time.monotonic()
        if now - started > BUILD_LIMIT_S:
            return
        if now - said > PROGRESS_S:
            said = now
            say(f"{_how_far(log)}, {now - started:.0f} s")


def _how_far(log: Path) -> str:
    lines = log.read_text().splitlines()
    fetched = sum(line.startswith("go: ") for line in lines)
    compiled = len(lines) - fetched
    return f"{fetched} modules fetched, {compiled} packages compiled"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
