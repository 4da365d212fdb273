"""The command line on a real database, a real Temporal, and a real worker process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from engine.services.context import Services
from engine.settings import ROOT, Settings
from engine.store import schema
from engine.store.session import make_engine
from tests.databases import SqliteDatabases
from tests.dev_server import DevServer
from tests.studio import Studio

SECRETS = {"SECRET_PIN": "1234-5678"}


def dev_server(directory: Path) -> Iterator[str]:
    """Of a service that TEMPORAL_ADDRESS names nothing is known: who polls there, for one."""
    server = DevServer(directory)
    server.start()
    yield server.address
    server.kill()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Temporal that no worker polls."""
    yield from dev_server(tmp_path_factory.mktemp("temporal"))


@pytest.fixture
def own_address(tmp_path: Path) -> Iterator[str]:
    """A Temporal for one test: workers of two databases on one would take each other's runs."""
    yield from dev_server(tmp_path)


@dataclass
class CommandLine:
    """An installation, and its `flask` in this process."""

    app: Flask
    environment: dict[str, str]
    directory: Path

    @property
    def services(self) -> Services:
        found: Services = self.app.extensions["run_studio"]
        return found

    def __call__(self, *arguments: str, input: str | bytes | None = None, code: int = 0) -> Result:
        result = self.app.test_cli_runner().invoke(args=list(arguments), input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, f"{arguments} gave {result.exit_code}: {result.output}"
        return result

    def json(self, *arguments: str, **kwargs: Any) -> Any:
        return json.loads(self(*arguments, "--json", **kwargs).stdout)

    def file(self, content: Any, name: str = "document.json") -> str:
        path = self.directory / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)

    def publish(self, *steps: dict[str, Any], key: str = "greet", **fields: Any) -> str:
        document = {"id": key, "name": key.capitalize(), "steps": list(steps)} | fields
        self("definitions", "publish", self.file(document))
        return key

    def process(self, *arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
        """The real command line, as a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "flask", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def installation(address: str, url: str, directory: Path, **more: str) -> CommandLine:
    """`more`: further settings, for this process and for those that are started from it."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=directory,
        database_url=url,
        temporal_address=address,
        **more,  # type: ignore[arg-type]
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("SECRET_")
    } | {
        "DATA_DIR": str(directory),
        "DATABASE_URL": url,
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": "default",
        **SECRETS,
        **{name.upper(): value for name, value in more.items()},
    }
    return CommandLine(create_app(settings), environment, directory)


def migrate(url: str) -> None:
    engine = make_engine(url)
    schema.upgrade(engine)
    engine.dispose()


@pytest.fixture
def flask(
    address: str, sqlite_databases: SqliteDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """On a database of its own, without a worker."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return installation(address, sqlite_databases.create(tmp_path, migrate), tmp_path)


@pytest.fixture(scope="session")
def worked(
    sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    """One installation for all who need a worker: `worker.py` as it is."""
    directory = tmp_path_factory.mktemp("worked")
    for address in dev_server(directory):
        shared = installation(address, sqlite_databases.create(directory, migrate), directory)
        with worker_of(shared):
            yield shared


class worker_of:  # noqa: N801
    def __init__(self, flask: CommandLine) -> None:
        self._flask = flask

    def __enter__(self) -> None:
        log = (self._flask.directory / "worker.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "worker.py"],
            cwd=ROOT,
            env=self._flask.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        Studio.eventually(self._lives, 60)

    def _lives(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError((self._flask.directory / "worker.log").read_text())
        checks = {each["name"]: each["ok"] for each in self._checks()}
        return checks.get("worker", False)

    def _checks(self) -> Any:
        result = self._flask.app.test_cli_runner().invoke(args=["doctor", "--json"])
        return json.loads(result.stdout)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
