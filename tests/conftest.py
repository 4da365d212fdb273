"""Fixtures that every room may use, the ban on I/O in unit tests, and how the test process ends."""

from __future__ import annotations

import atexit
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest

from engine.store import schema
from engine.store.session import Store, make_engine
from tests.databases import PostgresDatabases, SqliteDatabases

UNIT = Path(__file__).parent / "unit"


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    databases = PostgresDatabases()
    yield databases
    databases.close()


@pytest.fixture
def sqlite_url(sqlite_databases: SqliteDatabases, tmp_path: Path) -> str:
    """A migrated SQLite database of its own."""
    return sqlite_databases.create(tmp_path, _migrate)


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database of its own."""
    url = postgres_databases.create(_migrate)
    yield url
    postgres_databases.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of its own; the test runs once on each of the two.

    One of them only: `@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)`.
    """
    wanted = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(wanted))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table: for tests of the migrations."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_databases").create(tmp_path)
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    engine = make_engine(database_url)
    yield Store(engine)
    engine.dispose()


def _migrate(url: str) -> None:
    engine = make_engine(url)
    schema.upgrade(engine)
    engine.dispose()


@pytest.fixture(autouse=True)
def _unit_tests_do_no_io(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/unit: no socket but AF_UNIX (event loops need a pair), and no database."""
    if not request.path.is_relative_to(UNIT):
        return
    make_socket = socket.socket.__init__

    def only_unix(self: socket.socket, family: int = -1, *args: Any, **kwargs: Any) -> None:
        if family != socket.AF_UNIX:
            _refuse("socket")
        make_socket(self, family, *args, **kwargs)

    def no_database(*_: Any, **__: Any) -> NoReturn:
        _refuse("database")

    monkeypatch.setattr(socket.socket, "__init__", only_unix)
    monkeypatch.setattr(sqlite3, "connect", no_database)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", no_database)
    monkeypatch.setattr(psycopg, "connect", no_database)
    monkeypatch.setattr(psycopg.Connection, "connect", no_database)


def _refuse(what: str) -> NoReturn:
    pytest.fail(f"a test in tests/unit opened a {what}", pytrace=True)


_sessions: list[pytest.Session] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    _sessions.append(session)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without the interpreter's own exit, with the code that the tests earned.

    A process that used temporalio may abort or segfault while Python finalizes (measured.md 4).
    xdist's workers leave as they always do: the controller does not look at their code.
    """
    if hasattr(config, "workerinput") or not _sessions:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(_sessions[-1].exitstatus))
