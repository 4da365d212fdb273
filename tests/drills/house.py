"""Everything that a drill breaks, as real processes: PostgreSQL, Temporal, web and workers.

Web and workers reach PostgreSQL and Temporal through proxies, each link through one of its own, so
that the network between any two can be broken; the checker looks past them.
"""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from engine.store import schema
from engine.store.session import Store, make_engine
from tests.dev_server import DevServer, free_port
from tests.drills import actions, clocks, fault_points, nursery
from tests.drills.postgres import Postgres
from tests.drills.proxy import Proxy

ROOT: Final = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "drill@example.com", "correct horse battery staple"
PATIENCE_S: Final = 90.0
CONTINUE_EARLY: Final = ("limit.historyCount.suggestContinueAsNew=120",)
"""Runs continue as new after a hundred events, not after thousands."""


@dataclass
class Ours:
    """A process of the product."""

    process: ForkServerProcess
    fault: str

    @property
    def met_its_fault(self) -> bool:
        return self.fault != fault_points.NO_FAULT and self.process.exitcode == -signal.SIGKILL

    def end(self) -> None:
        """As by `kill -9`."""
        self.process.kill()
        self.process.join()


class House:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.effects_file = directory / "effects"
        actions.install(directory / "packages")
        self.postgres = Postgres()
        self.temporal = DevServer(directory, *CONTINUE_EARLY)
        self.temporal.start()
        self.links = {
            "web-db": Proxy(self.postgres.socket_file),
            "web-temporal": Proxy(self.temporal.address),
            "worker-db": Proxy(self.postgres.socket_file),
            "worker-temporal": Proxy(self.temporal.address),
        }
        self.store = self._migrated()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.web: Ours | None = None
        self.workers: list[Ours] = []
        self.died = 0
        """Processes that met their fault point, or gave up what they could not do."""
        self.met: Counter[str] = Counter()
        """By fault."""
        self.skews = {timedelta(0)}
        """Of all clocks there have been."""

    # Processes of ours

    def start_web(self, fault: str = fault_points.NO_FAULT) -> None:
        self.web = self._process("web", fault)

    def wait_for_web(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while not self.answers():
            assert time.monotonic() < until, self.said()
            time.sleep(0.05)

    def answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/health/live", timeout=2):
            return True
        return False

    def start_worker(self, fault: str = fault_points.NO_FAULT, minutes: int = 0) -> Ours:
        self.skews.add(timedelta(minutes=minutes))
        ours = self._process("worker", fault, minutes)
        self.workers.append(ours)
        return ours

    def kill_worker(self) -> None:
        """The one that has been there longest, where it stands; unless it has just died itself."""
        if self.workers:
            oldest = self.workers.pop(0)
            if not oldest.process.is_alive():
                self._note_death(oldest)
            oldest.end()

    def kill_web(self) -> None:
        if self.web is not None:
            if not self.web.process.is_alive():
                self._note_death(self.web)
            self.web.end()

    def close_web(self) -> None:
        """Nobody is let in any more: what was accepted is all."""
        self.kill_web()
        self.web = None

    def replace_dead(self) -> None:
        """What has died is started again, as a supervisor does it."""
        if self.web is not None and not self.web.process.is_alive():
            self._note_death(self.web)
            self.start_web()
        for ours in self.workers[:]:
            if not ours.process.is_alive():
                self._note_death(ours)
                self.workers.remove(ours)
                self.start_worker()

    def _note_death(self, ours: Ours) -> None:
        self.died += 1
        if ours.met_its_fault:
            self.met[ours.fault] += 1

    # The others

    def restart_temporal(self) -> None:
        self.temporal.kill()
        time.sleep(1)
        self.temporal.start()

    def said(self) -> str:
        return "\n".join(file.read_text()[-3000:] for file in self.directory.glob("*.log"))

    def close(self) -> None:
        for ours in (*self.workers, self.web):
            if ours is not None:
                with suppress(ProcessLookupError):
                    os.kill(ours.process.pid or 0, signal.SIGCONT)
                ours.end()
        self.store.engine.dispose()
        for link in self.links.values():
            link.close()
        self.temporal.kill()
        self.postgres.close()

    # How

    def _process(self, kind: str, fault: str, minutes: int = 0) -> Ours:
        environment = {
            **self._environment(kind),
            fault_points.FAULT: fault,
            clocks.CLOCK: str(minutes),
        }
        module, log = f"tests.drills.{kind}_process", self.directory / f"{kind}.log"
        return Ours(nursery.start(module, environment, log), fault)

    def _environment(self, kind: str) -> dict[str, str]:
        packages = f"{self.directory / 'packages'}{os.pathsep}{ROOT}"
        return {
            "PYTHONPATH": packages,
            "DATA_DIR": str(self.directory),
            "PORT": str(self.port),
            "DATABASE_URL": f"postgresql://postgres@{self.links[f'{kind}-db'].address}/drill",
            "TEMPORAL_ADDRESS": self.links[f"{kind}-temporal"].address,
            "SECRET_KEY": "of-a-drill",
            "LAUNCHES_PER_MINUTE": "100000",
            "SIGN_IN_ATTEMPTS_PER_MINUTE": "1000",
            fault_points.TEST_BUILD: "1",
            actions.EFFECTS: str(self.effects_file),
        }

    def _migrated(self) -> Store:
        engine = make_engine(self.postgres.url)
        schema.upgrade(engine)
        return Store(engine)
