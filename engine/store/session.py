"""Engines, and the two kinds of transaction: `reading` and `writing` (docs/rules.md 9).

SQLite: the driver's own transaction handling is switched off (isolation_level None); readers BEGIN,
writers BEGIN IMMEDIATE, so that a limit counted in a writing transaction holds between processes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

_BEGIN = "sqlite_begin"

LOST_AFTER_S: Final = 20
"""A connection whose other side says nothing for so long is lost: without that a thread would wait
for the kernel's two hours, and what its transaction has locked would stay locked as long."""
_STATEMENT_WITHIN_S: Final = 30
_IDLE_WITHIN_S: Final = 30
"""In a transaction: whoever holds its locks and asks for nothing is not there any more."""
_open = threading.local()


def make_engine(url: str, *, pool_size: int = 10, ping: bool = True) -> Engine:
    """An engine with this product's settings for the database that `url` names.

    `ping`: ask a pooled connection whether it lives before it is used. A worker need not: whatever
    its activities meet is tried again, and the round trip is a tenth of a quick step.
    """
    engine = create_engine(normal_url(url), **engine_options(url, pool_size=pool_size, ping=ping))
    configure(engine)
    return engine


def normal_url(url: str) -> str:
    """`postgres://` and `postgresql://` mean psycopg 3."""
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg{separator}{rest}"
    return url


def engine_options(url: str, *, pool_size: int = 10, ping: bool = True) -> dict[str, Any]:
    """`hide_parameters`: an error's words hold no value of a row, a payload least of all."""
    common: dict[str, Any] = {"pool_size": pool_size, "hide_parameters": True}
    if url.startswith("sqlite"):
        return {**common, "connect_args": {"timeout": 10, "check_same_thread": False}}
    return {
        **common,
        "max_overflow": 10,
        "pool_pre_ping": ping,
        # A server that was set up without a locale knows no encoding: text would come back as
        # bytes, and it would refuse escapes of other characters than ASCII in JSON.
        "json_serializer": _json_in_its_own_characters,
        "connect_args": {
            "connect_timeout": 5,
            "client_encoding": "utf8",
            **_noticing_a_lost_server(),
            "options": _noticing_a_lost_client(),
        },
    }


def _noticing_a_lost_server() -> dict[str, int]:
    """libpq's; a Unix socket does without."""
    return {
        "keepalives_idle": max(1, LOST_AFTER_S // 2),
        "keepalives_interval": max(1, LOST_AFTER_S // 4),
        "keepalives_count": 2,
        "tcp_user_timeout": LOST_AFTER_S * 1000,
    }


def _noticing_a_lost_client() -> str:
    """The server's, for this session."""
    settings = {
        "statement_timeout": _STATEMENT_WITHIN_S * 1000,
        "idle_in_transaction_session_timeout": _IDLE_WITHIN_S * 1000,
        "tcp_keepalives_idle": max(1, LOST_AFTER_S // 2),
        "tcp_keepalives_interval": max(1, LOST_AFTER_S // 4),
        "tcp_keepalives_count": 2,
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


_json_in_its_own_characters = json.JSONEncoder(ensure_ascii=False).encode


def configure(engine: Engine) -> None:
    """Attach what SQLite needs; on PostgreSQL, keep rows out of the words of errors."""
    if engine.dialect.name != "sqlite":
        event.listen(engine, "handle_error", _without_details)
        return

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get(_BEGIN, "")
        connection.exec_driver_sql(f"BEGIN {mode}".strip())


def _without_details(context: ExceptionContext) -> None:
    """PostgreSQL's DETAIL holds whole rows ("Failing row contains ...")."""
    said = str(context.original_exception)
    kept = said.partition("\n")[0]
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            error.args = (str(error.args[0]).replace(said, kept), *error.args[1:])


def writer(engine: Engine) -> Engine:
    """The same pool of connections; transactions take the write lock when they begin."""
    return engine.execution_options(**{_BEGIN: "IMMEDIATE"})


class Store:
    """Hands out sessions. `writing` commits at the end of the block: services only."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = writer(engine)
        self._lock = threading.Lock() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that never writes; rolled back at the end."""
        with _counted(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """For as long as it takes, at a database that may not be ours yet.

        Not even SQLite's file is changed: other connections of ours set its journal's mode.
        """
        with _counted():
            if self.engine.dialect.name == "postgresql":
                with self.engine.connect() as connection:
                    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                    yield connection
                return
            plain = create_engine(self.engine.url, poolclass=NullPool, hide_parameters=True)
            with plain.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits when the block ends well, and rolls back when it raises.

        On SQLite one thread a process writes at a time (rules.md 9): waiting for our own lock is
        cheaper and fairer than waiting for the database's.
        """
        with (
            _counted(),
            _held(self._lock),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session


def in_transaction() -> bool:
    """Is this thread inside `reading` or `writing`? The gateway refuses to call out then."""
    return getattr(_open, "count", 0) > 0


@contextmanager
def _counted() -> Iterator[None]:
    _open.count = getattr(_open, "count", 0) + 1
    try:
        yield
    finally:
        _open.count -= 1


@contextmanager
def _held(lock: threading.Lock | None) -> Iterator[None]:
    if lock is None:
        yield
        return
    with lock:
        yield
