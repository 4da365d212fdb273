"""`docker compose` on docker-compose.ee.yaml, as it stands, under a project name of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = "docker-compose.ee.yaml"
PROJECT = "run-studio-check"
"""Not the file's own: an installation that runs here keeps its containers and its volumes."""

COMMAND_LIMIT_S = 1200


class NoDocker(Exception):
    """There is no Docker that could do it; the message says what is missing."""


class Failed(Exception):
    """A command of Docker's ended badly; the message has its last words."""


class Compose:
    def __init__(self, settings: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **settings}

    def look(self) -> str:
        """Which Docker this is. Raises `NoDocker`."""
        if shutil.which("docker") is None:
            raise NoDocker("there is no `docker` on PATH")
        if self._run(["docker", "compose", "version"]).returncode:
            raise NoDocker("`docker` has no compose plugin: `docker compose version` fails")
        asked = self._run(["docker", "info", "--format", "{{.ServerVersion}}"])
        if asked.returncode or not asked.stdout.strip():
            raise NoDocker(f"no Docker engine answers: {_last_line(asked.stderr)}")
        return asked.stdout.strip()

    def __call__(self, *arguments: str) -> float:
        """One command; the seconds it took. Raises `Failed`."""
        began = time.monotonic()
        done = self._run([*self._base, *arguments])
        if done.returncode:
            raise Failed(
                f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-1500:]}"
            )
        return time.monotonic() - began

    def services(self) -> list[dict[str, Any]]:
        """Every container of the project, also those that have ended."""
        printed = self._run([*self._base, "ps", "--all", "--format", "json"]).stdout.strip()
        if printed.startswith("["):
            listed: list[dict[str, Any]] = json.loads(printed)
            return listed
        return [json.loads(line) for line in printed.splitlines()]

    def logs(self) -> str:
        return self._run([*self._base, "logs", "--no-color", "--tail", "40"]).stdout

    @property
    def _base(self) -> list[str]:
        return ["docker", "compose", "--file", FILE, "--project-name", PROJECT]

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
