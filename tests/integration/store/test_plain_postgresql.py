"""A PostgreSQL that was set up without a locale, as in a container without LANG.

It knows no encoding, and would hand out text as bytes.
"""

from __future__ import annotations

import psycopg
from sqlalchemy import make_url, select

from engine.store import schema
from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowDefinition, WorkflowRun
from tests import builders
from tests.databases import PostgresDatabases

TEXT = "Grüße ☃ 漢字"


def test_every_character_reads_back(postgres_databases: PostgresDatabases) -> None:
    server = make_url(postgres_databases.create())
    name = f"{server.database}_plain"
    with psycopg.connect(
        server.set(drivername="postgresql").render_as_string(False), autocommit=True
    ) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' "
            "LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    engine = make_engine(server.set(database=name).render_as_string(False))
    try:
        schema.upgrade(engine)
        store = Store(engine)
        definition = builders.definition(name=TEXT)
        run = builders.run(definition, input_json={"text": TEXT})
        builders.save(store, definition, run)
        with store.reading() as session:
            assert session.scalars(select(WorkflowDefinition.name)).all() == [TEXT]
            assert session.scalars(select(WorkflowRun.input_json)).all() == [{"text": TEXT}]
    finally:
        engine.dispose()
        for database in (name, server.database):
            postgres_databases.drop(server.set(database=database).render_as_string(False))
