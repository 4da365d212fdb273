"""docker-compose.ee.yaml without Docker: its commands and environments, as plain processes.

What Docker gives is stood in for: names of services become ports of this machine, and the folders
/run/secrets, /deploy and /data become folders of the test. PostgreSQL is the machine's own: its
extension btree_gin, which Temporal wants, is not in the tests' wheel. Temporal's programs are those
of `python -m scripts.build_temporal_server`.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import yaml

from scripts import find_temporal
from scripts.build_temporal_server import PROGRAMS
from tests.dev_server import free_port

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.ee.yaml").read_text())[
    "services"
]
PATIENCE_S = 120
PASSWORD = "of-this-test-alone"


def postgres_programs() -> Path | None:
    """The folder of a PostgreSQL with all its extensions."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve()] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    whole = (one.parent for one in found if (one.parent / "postgres").exists())
    return next(whole, None)


def missing() -> str | None:
    """Why it cannot be done here."""
    if postgres_programs() is None:
        return "no PostgreSQL of the system's (initdb)"
    if not all((find_temporal.cache_dir() / name).exists() for name in PROGRAMS):
        return "no Temporal server in the cache: python -m scripts.build_temporal_server"
    if find_temporal.at_hand() is None:
        return "no temporal command"
    return None


def free_low_port() -> int:
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.randint(20_000, 32_000)))
            return int(probe.getsockname()[1])


class Stack:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("postgres", "http", "web")}
        self.ports["temporal"] = free_low_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("secrets", "deploy", "data", "programs"):
            (folder / name).mkdir()
        for path in (ROOT / "deploy/temporal").iterdir():
            (folder / "deploy" / path.name).write_text(self._here(path.read_text()))
        for name in PROGRAMS:
            (folder / "programs" / name).symlink_to(find_temporal.cache_dir() / name)
        command = find_temporal.at_hand()
        assert command is not None
        (folder / "programs" / "temporal").symlink_to(command)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    def run(self, service: str) -> str:
        """A one-shot, to its end; what it said."""
        done = subprocess.run(
            self._command(service),
            cwd=ROOT,
            env=self._environment(service),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, (service, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    def start(self, service: str) -> None:
        with (self.folder / f"{service}.log").open("ab") as log:
            self.processes[service] = subprocess.Popen(
                self._command(service),
                cwd=ROOT,
                env=self._environment(service),
                stdout=log,
                stderr=log,
            )

    def wait_until_healthy(self, service: str) -> None:
        """By the file's own health check, where it is a command that is here too."""
        test = SERVICES[service]["healthcheck"]["test"]
        until = time.monotonic() + PATIENCE_S
        while not self._healthy(service, test):
            log = (self.folder / f"{service}.log").read_text()[-2000:]
            assert self.processes[service].poll() is None, f"{service} ended: {log}"
            assert time.monotonic() < until, f"{service} is not healthy: {log}"
            time.sleep(0.3)

    def _healthy(self, service: str, test: list[str]) -> bool:
        if test[0] == "CMD":
            command = [self._word(word) for word in test[1:]]
            environment = self._environment(service)
            done = subprocess.run(command, cwd=ROOT, env=environment, timeout=60, check=False)
            return done.returncode == 0
        address = re.search(r"http://\S+", self._here(test[1]))
        assert address is not None
        try:
            with urllib.request.urlopen(address[0], timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def make_postgres(self) -> None:
        """As the image's entrypoint: a database and a user of the environment's names."""
        programs, data = postgres_programs(), self.folder / "postgres"
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._as_user = as_user if os.geteuid() == 0 else []
        data.mkdir()
        if self._as_user:
            shutil.chown(data, "postgres")
            for above in (self.folder, *self.folder.parents[:2]):
                above.chmod(0o755)
        given = self._environment("postgres")
        password = data / "password"
        password.write_text(Path(given["POSTGRES_PASSWORD_FILE"]).read_text())
        initdb = [f"{programs}/initdb", "-D", f"{data}/d", "-A", "scram-sha-256", "--locale=C"]
        subprocess.run(
            [*self._as_user, *initdb, "-U", given["POSTGRES_USER"], f"--pwfile={password}"],
            check=True,
            capture_output=True,
        )
        port = str(self.ports["postgres"])
        server = [f"{programs}/postgres", "-D", f"{data}/d", "-p", port, "-k", str(data)]
        with (self.folder / "postgres.log").open("wb") as log:
            self.processes["postgres"] = subprocess.Popen(
                [*self._as_user, *server, "-h", "127.0.0.1"], stdout=log, stderr=log
            )
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                with psycopg.connect(
                    host="127.0.0.1",
                    port=int(port),
                    user=given["POSTGRES_USER"],
                    password=password.read_text(),
                    dbname="postgres",
                    autocommit=True,
                ) as connection:
                    connection.execute(f"CREATE DATABASE {given['POSTGRES_DB']}".encode())
                return
            except psycopg.OperationalError:
                assert time.monotonic() < until
                time.sleep(0.2)

    def end(self) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _command(self, service: str) -> list[str]:
        words = SERVICES[service].get("entrypoint") or []
        words = [*words, *(SERVICES[service].get("command") or [])]
        return [self._word(word) for word in words]

    def _word(self, word: str) -> str:
        return {"python": sys.executable}.get(word, self._here(word))

    def _environment(self, service: str) -> dict[str, str]:
        given = {
            name: self._here(str(value))
            for name, value in SERVICES[service].get("environment", {}).items()
        }
        if "PORT" in given:
            given |= {"PORT": str(self.ports["web"]), "ADMIN_PASSWORD": PASSWORD}
        if service == "temporal":
            given |= self._temporal_ports()
        folders = [self.folder / "programs", Path(sys.executable).parent]
        path = ":".join([*(str(folder) for folder in folders), "/usr/bin:/bin"])
        return {"PATH": path, "HOME": str(self.folder), **given}

    def _temporal_ports(self) -> dict[str, str]:
        """Containers have addresses of their own; here each part needs a port that is free.

        Below 32,768: Temporal keeps them as small integers.
        """
        parts = [
            *("FRONTEND_MEMBERSHIP_PORT", "MATCHING_GRPC_PORT", "MATCHING_MEMBERSHIP_PORT"),
            *("HISTORY_GRPC_PORT", "HISTORY_MEMBERSHIP_PORT", "WORKER_GRPC_PORT"),
            "WORKER_MEMBERSHIP_PORT",
        ]
        return {name: str(free_low_port()) for name in parts} | {
            "FRONTEND_GRPC_PORT": str(self.ports["temporal"]),
            "FRONTEND_HTTP_PORT": str(self.ports["http"]),
            "DB_PORT": str(self.ports["postgres"]),
        }

    def _here(self, text: str) -> str:
        while (inner := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", text)) != text:
            text = inner
        for there, here in {
            "/run/secrets": f"{self.folder}/secrets",
            "/deploy": f"{self.folder}/deploy",
            "/data": f"{self.folder}/data",
            "postgres:5432": f"127.0.0.1:{self.ports['postgres']}",
            "temporal:7233": f"127.0.0.1:{self.ports['temporal']}",
            ":7243": f":{self.ports['http']}",
            ":8080": f":{self.ports['web']}",
            "0.0.0.0": "127.0.0.1",
        }.items():
            text = text.replace(there, here)
        return {"postgres": "127.0.0.1", "5432": str(self.ports["postgres"])}.get(text, text)
