"""The schema that the migrations make, from nothing: it is what the models say."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Engine, inspect

from engine.store import schema
from engine.store.tables import METADATA

ADD_IT = (
    "add it to a revision under migrations/versions (one that is not released yet: 0003 to 0012)"
)


def test_from_nothing_to_head(engine: Engine) -> None:
    assert schema.current(engine) is None
    assert not schema.at_head(engine)
    schema.upgrade(engine)
    assert schema.at_head(engine)


def test_models_equal_migrations(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == [], ADD_IT


def test_every_rule_of_the_models_is_in_the_database(engine: Engine) -> None:
    schema.upgrade(engine)
    for table in METADATA.sorted_tables:
        wanted = {
            str(rule.name) for rule in table.constraints if isinstance(rule, sa.CheckConstraint)
        }
        assert names_of_rules(engine, table.name) >= wanted, ADD_IT


def names_of_rules(engine: Engine, table: str) -> set[str]:
    if engine.dialect.name == "postgresql":
        return {str(rule["name"]) for rule in inspect(engine).get_check_constraints(table)}
    with engine.connect() as connection:
        written = connection.scalar(
            sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table}
        )
    words = str(written).replace("(", " ").split()
    return {after for word, after in pairwise(words) if word == "CONSTRAINT"}


@pytest.mark.parametrize("column", ["replay_of_run_id", "parent_run_id"])
def test_an_index_of_all_runs_gives_way_to_one_of_some(engine: Engine, column: str) -> None:
    """Comparing models with a database does not tell the two apart."""
    schema.upgrade(engine)
    indexes = {index["name"]: index for index in inspect(engine).get_indexes("workflow_runs")}
    options = indexes[f"ix_workflow_runs_{column}"]["dialect_options"]
    assert f"{engine.dialect.name}_where" in options


def test_the_models_defaults_are_the_databases(engine: Engine) -> None:
    """A raw INSERT gets the same defaults as the models give."""
    schema.upgrade(engine)
    inspector = inspect(engine)
    for table in METADATA.sorted_tables:
        there = {column["name"]: column["default"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.server_default is not None:
                assert there[column.name] is not None, f"{table.name}.{column.name}"


def test_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    before = structure(engine)
    schema.upgrade(engine)
    schema.stamp(engine, "0001")
    schema.upgrade(engine)
    assert structure(engine) == before


def test_two_upgrades_at_once_both_end_well(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    code = (
        "import sys\n"
        "from engine.store import schema\n"
        "from engine.store.session import make_engine\n"
        "schema.upgrade(make_engine(sys.argv[1]))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, url], cwd=schema.MIGRATIONS.parent)
        for _ in range(3)
    ]
    assert [process.wait(timeout=100) for process in processes] == [0, 0, 0]
    assert schema.at_head(engine)


def test_going_back_takes_nothing_away(engine: Engine) -> None:
    schema.upgrade(engine)
    before = structure(engine)
    command.downgrade(schema._config(engine), "0001")
    assert structure(engine) == before
    schema.upgrade(engine)
    assert structure(engine) == before


def test_there_is_no_sql_script_of_a_migration_that_looks_at_data(engine: Engine) -> None:
    with pytest.raises(CommandError):
        command.upgrade(schema._config(engine), "head", sql=True)


def structure(engine: Engine) -> dict[str, Any]:
    inspector = inspect(engine)
    return {
        table: (
            [str(column) for column in inspector.get_columns(table)],
            sorted(
                str((index["name"], index["column_names"]))
                for index in inspector.get_indexes(table)
            ),
            names_of_rules(engine, table),
        )
        for table in sorted(inspector.get_table_names())
    }
