"""Changes of a schema that may be applied to any state of it, and applied again.

Migrations are made of these: each looks first whether its work is done, so that an upgrade that
was interrupted goes on where it stopped, and a database that was built elsewhere is adopted as it
is. On PostgreSQL indexes are built CONCURRENTLY and constraints validated in a transaction of their
own (docs/rules.md 9); SQLite's whole upgrade is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

Checks = Mapping[str, str]
"""Rules by their constraint's full name."""


def on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")


@contextmanager
def outside_transaction() -> Iterator[None]:
    """PostgreSQL: each statement of the block commits by itself. SQLite: no difference."""
    if not on_postgresql():
        yield
        return
    with op.get_context().autocommit_block():
        yield


@contextmanager
def transaction_of_its_own() -> Iterator[None]:
    """Inside `outside_transaction`: the statements of this block commit together."""
    if not on_postgresql():
        yield
        return
    connection = op.get_bind()
    connection.exec_driver_sql("BEGIN")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def column_types(table: str) -> dict[str, Any]:
    """The table's columns and their types; empty where there is no such table."""
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table(table):
        return {}
    return {column["name"]: column["type"] for column in inspector.get_columns(table)}


def create_table(table: sa.Table) -> None:
    """Create the table with its indexes, or add what an existing one lacks."""
    if not column_types(table.name):
        table.create(op.get_bind())
        return
    add_columns(table.name, *(column for column in table.columns if not column.primary_key))
    for index in table.indexes:
        create_index(index)


def add_columns(table: str, *columns: sa.Column[Any]) -> None:
    there = column_types(table)
    absent = [column for column in columns if column.name not in there]
    if absent:
        _do_not_queue_for_long()
    for column in absent:
        op.add_column(table, _addable(column))


def _addable(column: sa.Column[Any]) -> sa.Column[Any]:
    """The column as rows that are there allow it: without a value for them, it may be NULL."""
    copy: sa.Column[Any] = column._copy()
    default = copy.server_default
    constant = isinstance(default, sa.DefaultClause) and (
        isinstance(default.arg, str) or not isinstance(default.arg, sa.Function)
    )
    if not constant:
        copy.nullable = True
        copy.server_default = None
    return copy


def create_index(index: sa.Index) -> None:
    """`index` belongs to a Table; a unique one that exists under another name is enough."""
    assert index.table is not None
    table, name = index.table.name, str(index.name)
    _drop_invalid(name)
    columns = [column.name for column in index.columns]
    if _is_there(table, name, columns, bool(index.unique)):
        return
    with outside_transaction():
        op.create_index(
            name,
            table,
            columns,
            unique=bool(index.unique),
            postgresql_concurrently=on_postgresql(),
            postgresql_where=index.dialect_options["postgresql"]["where"],
            sqlite_where=index.dialect_options["sqlite"]["where"],
        )


def _is_there(table: str, name: str, columns: Sequence[str], unique: bool) -> bool:
    inspector = sa.inspect(op.get_bind())
    indexes = inspector.get_indexes(table)
    if any(index["name"] == name for index in indexes):
        return True
    if not unique:
        return False
    whole = [index for index in indexes if index["unique"] and not _where(index)]
    constraints = inspector.get_unique_constraints(table)
    return any(found["column_names"] == list(columns) for found in (*whole, *constraints))


def _where(index: Mapping[str, Any]) -> bool:
    options = index.get("dialect_options", {})
    return any(name.endswith("_where") for name in options)


def _drop_invalid(name: str) -> None:
    """An interrupted CREATE INDEX CONCURRENTLY leaves an index that nothing uses."""
    if not on_postgresql():
        return
    invalid = op.get_bind().scalar(
        sa.text(
            "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(:name))"
        ),
        {"name": name},
    )
    if invalid:
        with outside_transaction():
            op.drop_index(name, postgresql_concurrently=True)


def add_checked_column(table: str, column: sa.Column[Any], checks: Checks) -> None:
    """Add a column together with CHECKs that all present rows pass.

    SQLite cannot add a constraint to a table, but it can add a column that has some, which may
    speak of any column: the table is not copied, so no child row is lost (docs/rules.md 9).
    """
    if on_postgresql():
        add_columns(table, column)
        add_checks(table, checks)
        return
    if column.name in column_types(table):
        return
    placed = sa.Table(table, sa.MetaData(), column._copy()).columns[column.name]
    specification = sa.schema.CreateColumn(placed).compile(dialect=op.get_bind().dialect)
    rules = " ".join(f"CONSTRAINT {name} CHECK ({rule})" for name, rule in checks.items())
    op.execute(f"ALTER TABLE {table} ADD COLUMN {specification} {rules}")


def add_checks(table: str, checks: Checks) -> None:
    """PostgreSQL: refuse new rows at once; `validate_checks` then looks at the old ones."""
    there = _check_names(table)
    for name, rule in checks.items():
        if name not in there:
            _do_not_queue_for_long()
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID")


def validate_checks(table: str, names: Sequence[str]) -> None:
    """PostgreSQL: under a lock that lets readers and writers through."""
    if not on_postgresql():
        return
    with outside_transaction():
        for name in names:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _check_names(table: str) -> set[str]:
    inspector = sa.inspect(op.get_bind())
    return {str(check["name"]) for check in inspector.get_check_constraints(table)}


def _do_not_queue_for_long() -> None:
    """An ALTER that waits for a long query makes everybody wait behind it: give up instead.

    The upgrade then ends with "lock timeout", and may be started again.
    """
    if on_postgresql():
        op.execute("SET LOCAL lock_timeout = '15s'")
