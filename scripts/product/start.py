"""Starts the product, step by step; each step can be interrupted by a signal."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.settings import ROOT, Settings
from scripts import find_temporal
from scripts.product import greeting, prepared_before, temporal_server, variables
from scripts.product.child import Child
from scripts.product.claim import Claim
from scripts.product.greeting import Prepared
from scripts.product.keeper import Keeper
from scripts.product.ports import answers
from scripts.product.terminal import Stop, say

START_LIMIT_S = 120.0
"""For a machine that is busy; a quiet one needs a few seconds."""
GRACE_S = {"web": 15.0, "worker": 20.0, "temporal": 10.0}


class NotStarted(Exception):
    """The message says which part failed; what it said itself is on the terminal already."""


class Interrupted(Exception):
    """A signal asked to stop before everything was up."""


class Product:
    def __init__(self, settings: Settings, claim: Claim, stop: Stop, *, own_temporal: bool) -> None:
        self._settings = settings
        self._own_temporal = own_temporal
        self._claim = claim
        self._stop = stop
        self._shared = variables.shared(settings, own_temporal=own_temporal)
        self._marks: dict[str, list[str]] = {}
        self._keeper = Keeper(stop=stop, grace_s=GRACE_S, changed=self._remember)

    def start(self) -> None:
        """Raises `NotStarted`, or `Interrupted`."""
        began = time.monotonic()
        if self._own_temporal:
            self._start("temporal", temporal_server.command(self._find_temporal(), self._settings))
        # The web needs no schema to begin with, and begins while the database is prepared.
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        self._start("web", [*gunicorn, "app:create_app()"])
        prepared = self._prepare()
        for line in greeting.new_operator(prepared):
            say(line)
        if self._own_temporal:
            self._wait_for("temporal", self._temporal_answers)
        self._start("worker", [sys.executable, "worker.py"])
        self._wait_for("web", self._web_answers)
        self._keeper.unmute()
        self._claim.announce(self._shared)
        self._greet(prepared, time.monotonic() - began)

    def keep(self) -> None:
        """Until a signal asks to stop."""
        self._keeper.keep()

    def end(self) -> None:
        if self._stop:
            say("ending")
        self._keeper.end()

    def _find_temporal(self) -> Path:
        binary = find_temporal.at_hand()
        if binary is None:
            # Perhaps minutes of work: a process of its own, so that a signal can end it.
            given = {k: v for k, v in os.environ.items() if k != "TEMPORAL_ADDRESS"}
            command = [sys.executable, "-m", "scripts.find_temporal"]
            binary = Path(self._ask(command, given, "There is no Temporal to start."))
        return binary

    def _prepare(self) -> Prepared:
        known = prepared_before.known(self._settings)
        if known is not None:
            return known
        command = [sys.executable, "-m", "scripts.product.prepare"]
        failed = "The database could not be prepared."
        answer = self._ask(command, self._environment(), failed)
        prepared_before.note(self._settings)
        return Prepared.from_json(json.loads(answer))

    def _ask(self, command: list[str], environment: Mapping[str, str], failed: str) -> str:
        """The last line that a command prints; what it says on standard error is shown."""
        asked = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while asked.poll() is None and not self._stop:
            time.sleep(0.02)
        if asked.poll() is None:
            os.killpg(asked.pid, signal.SIGKILL)
        output, _ = asked.communicate()
        if self._stop:
            raise Interrupted
        lines = output.strip().splitlines()
        if asked.returncode != 0 or not lines:
            raise NotStarted(failed)
        return lines[-1]

    def _start(self, name: str, command: list[str]) -> None:
        # Words by which a process left behind is known again.
        self._marks[name] = [command[0], command[-1]]
        environment = self._environment()
        self._keeper.start(lambda: Child(name, command, environment, ROOT))

    def _environment(self) -> dict[str, str]:
        return variables.of_a_child(os.environ, self._shared)

    def _wait_for(self, name: str, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + START_LIMIT_S
        while not ready():
            if self._stop:
                raise Interrupted
            for child in self._keeper.dead():
                child.drain()
                for line in child.said:
                    say(line, name=child.name)
                raise NotStarted(f"The {child.name} ended while starting.")
            if time.monotonic() > until:
                raise NotStarted(f"The {name} did not answer within {START_LIMIT_S:.0f} s.")
            time.sleep(0.03)

    def _temporal_answers(self) -> bool:
        return answers(temporal_server.HOST, self._settings.temporal_port)

    def _web_answers(self) -> bool:
        host, port = variables.web_host(self._settings), self._settings.port
        connection = http.client.HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _remember(self, pids: Mapping[str, int]) -> None:
        self._claim.remember(pids, self._marks)

    def _greet(self, prepared: Prepared, seconds: float) -> None:
        url = f"http://{variables.web_host(self._settings)}:{self._settings.port}"
        temporal = self._shared.get("TEMPORAL_UI_URL", self._shared["TEMPORAL_ADDRESS"])
        for line in greeting.lines(prepared, url=url, temporal=temporal, seconds=seconds):
            say(line)
