"""How Alembic reaches the database: for `flask db …`, and for engine.store.schema without Flask.

PostgreSQL: one upgrade at a time, held by an advisory lock; a transaction a revision, except where
a revision leaves it on purpose. SQLite: the whole upgrade is one BEGIN IMMEDIATE transaction, so
that it is done or not done.
"""

from __future__ import annotations

import time

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from engine.store.session import make_engine, writer
from engine.store.tables import METADATA

LOCK = 0x52554E53  # "RUNS"
LOCK_WAIT_S = 600


def database_url() -> str:
    given = context.config.attributes.get("url")
    if given:
        return str(given)
    from flask import current_app

    engine: Engine = current_app.extensions["migrate"].db.engine
    return engine.url.render_as_string(hide_password=False)


def ours(_object: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """Tables of an adopted database that are not ours are left alone by autogenerate."""
    return not (kind == "table" and reflected and other is None and name not in METADATA.tables)


def migrate(connection: Connection) -> None:
    postgresql = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        include_object=ours,
        transactional_ddl=True,
        transaction_per_migration=postgresql,
    )
    with context.begin_transaction():
        context.run_migrations()


def wait_for_our_turn(connection: Connection) -> None:
    """Polls: a session that waits in pg_advisory_lock would block CREATE INDEX CONCURRENTLY."""
    give_up = time.monotonic() + LOCK_WAIT_S
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}):
        connection.rollback()
        if time.monotonic() > give_up:
            raise CommandError("another upgrade has been running for ten minutes")
        time.sleep(0.2)
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()


def run() -> None:
    if context.is_offline_mode():
        raise CommandError("the cut-over looks at the data: there is no --sql form of it")
    engine = make_engine(database_url())
    try:
        with writer(engine).connect() as connection:
            if connection.dialect.name == "postgresql":
                wait_for_our_turn(connection)
            migrate(connection)
    finally:
        engine.dispose()


run()
