"""scripts/compose-check, with a `docker` that only answers: what it asks, and what it concludes.

With a real Docker it is its own test (docs/operating.md says when that was done last).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

from scripts.compose_check import main as compose_check
from scripts.compose_check.operator import Forms, NotAsPromised, Operator

ROOT = Path(__file__).resolve().parents[3]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.ee.yaml").read_text())["services"]


def docker(folder: Path, *cases: str) -> dict[str, str]:
    """An environment whose only `docker` writes down what it is asked, and answers by `cases`."""
    program = folder / "docker"
    lines = ["#!/bin/sh", f'echo "$*" >> {folder}/asked', 'case "$*" in', *cases, "esac", ""]
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:/usr/bin:/bin"}


def check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "compose-check"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("*) exit 1 ;;", "no compose plugin"),
        ("*version*) ;; *) echo 'Cannot connect' >&2; exit 1 ;;", "Cannot connect"),
    ],
)
def test_without_a_docker_that_works_it_says_so(tmp_path: Path, case: str, words: str) -> None:
    done = check(docker(tmp_path, case))
    assert done.returncode == 3
    assert words in done.stdout
    assert "Nothing was checked" in done.stdout


def test_a_stack_that_does_not_come_up_is_told_and_taken_down(tmp_path: Path) -> None:
    done = check(
        docker(
            tmp_path,
            "*info*) echo 1.0 ;;",
            "*' up '*) echo 'web is unhealthy' >&2; exit 1 ;;",
        )
    )
    assert done.returncode == 1
    assert "NOT AS PROMISED" in done.stdout
    assert "web is unhealthy" in done.stdout
    asked = (tmp_path / "asked").read_text().splitlines()
    assert all("docker-compose.ee.yaml" in line for line in asked[2:])
    assert any("up --detach --wait --build" in line for line in asked)
    assert asked[-1].endswith("down --volumes --timeout 10")


def test_an_installation_of_the_same_machine_is_left_alone(tmp_path: Path) -> None:
    check(docker(tmp_path, "*info*) echo 1.0 ;;", "*' up '*) exit 1 ;;"))
    asked = (tmp_path / "asked").read_text().splitlines()
    assert all("--project-name run-studio-check" in line for line in asked[2:])


def test_every_service_of_the_file_is_checked() -> None:
    assert set(compose_check.LONG_LIVED) | set(compose_check.ONE_SHOTS) == set(SERVICES)


PAGES = {
    "/sign-in": '<form action="/sign-in" method="post"><input type="hidden" name="csrf" value="c">'
    '<input name="email"><input type="password" name="password"></form>',
    "/workflows/w/run": '<form action="/search"><input name="q"></form>'
    '<form action="/workflows/w/run" method="post"><input type="hidden" name="token" value="t">'
    '<textarea name="payload">{"a": "&lt;"}</textarea></form>',
}


class Web(BaseHTTPRequestHandler):
    sent: dict[str, list[str]]
    statuses: list[str]

    def do_GET(self) -> None:
        status = self.statuses.pop(0) if self.path.endswith("/export") else ""
        body = PAGES.get(self.path) or json.dumps({"run": {"status": status}})
        self.send_response(503 if status == "AWAY" else 200)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        type(self).sent = parse_qs(text)
        self.send_response(303)
        self.send_header("location", "/runs/r-1" if "run" in self.path else "/runs")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def operator() -> Iterator[Operator]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Operator(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def test_it_sends_forms_as_a_browser_does(operator: Operator) -> None:
    operator.sign_in("a@x.example", "secret")
    assert Web.sent == {"csrf": ["c"], "email": ["a@x.example"], "password": ["secret"]}
    assert operator.start("w", {"a": 1}) == "r-1"
    assert Web.sent == {"token": ["t"], "payload": ['{"a": 1}']}


def test_it_reads_a_form_with_its_text() -> None:
    forms = Forms()
    forms.feed(PAGES["/workflows/w/run"])
    assert forms.found["/workflows/w/run"] == {"token": "t", "payload": '{"a": "<"}'}


def test_it_waits_for_the_end_also_while_the_web_is_away(operator: Operator) -> None:
    Web.statuses = ["RUNNING", "AWAY", "SUCCEEDED"]
    assert operator.outcome("r-1", within_s=30) == "SUCCEEDED"
    Web.statuses = ["RUNNING"] * 9
    with pytest.raises(NotAsPromised, match="is RUNNING after"):
        operator.outcome("r-1", within_s=1)
