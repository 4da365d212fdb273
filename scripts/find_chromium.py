"""Find a Chromium for the browser tests, or get one; print its path.

In this order: `CHROMIUM` (a path) · the system's · Playwright's own · Playwright's, downloaded ·
Debian's package, where we are root.

    python -m scripts.find_chromium      the path on standard output; 1 when no way works
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DOWNLOAD_LIMIT_S = 300
INSTALL_LIMIT_S = 600


def say(text: str) -> None:
    print(f"chromium: {text}", file=sys.stderr, flush=True)


def find(*, may_install: bool = True) -> Path | None:
    """The browser's path; None when there is none and none could be had."""
    ways: list[Callable[[], Path | None]] = [_named, _system, _playwright]
    if may_install:
        ways += [_download, _debian]
    return next((path for way in ways if (path := way()) is not None), None)


def _named() -> Path | None:
    given = os.environ.get("CHROMIUM")
    return Path(given) if given else None


def _system() -> Path | None:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return Path(found) if found else None


def _playwright() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def _download() -> Path | None:
    say("asking Playwright for one")
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return _playwright() if _run(command, DOWNLOAD_LIMIT_S) else None


def _debian() -> Path | None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return None
    say("installing Debian's package")
    quiet = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    done = _run([*quiet, "update"], INSTALL_LIMIT_S) and _run(
        [*quiet, "install", "--yes", "--no-install-recommends", "chromium"], INSTALL_LIMIT_S
    )
    return _system() if done else None


def _run(command: list[str], limit_s: int) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        ended = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"{command[0]}: {error}")
        return False
    if ended.returncode != 0:
        say(f"{' '.join(command)}: {(ended.stderr.strip().splitlines() or ['failed'])[-1]}")
    return ended.returncode == 0


def main() -> int:
    found = find()
    if found is None:
        say("there is none, and none could be had: set CHROMIUM to the path of one")
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
