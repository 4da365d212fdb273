"""Changes of a schema that may be applied to any state of it, and applied again.

Migrations are made of these: each looks first whether its work is done, so that an upgrade that
was interrupted goes on where it stopped, and a database that was built elsewhere is adopted as it
is. On PostgreSQL indexes are built CONCURRENTLY and constraints validated in a transaction of their
own (docs/rules.md 9), and what readers would wait behind is done `exclusively`. SQLite's whole
upgrade is one transaction, beside which readers go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

Checks = Mapping[str, str]
"""Rules by their constraint's full name."""

LOCK_WAIT_MS: Final = 300
"""Readers wait behind an ALTER that waits for its own lock, so it waits no longer than this."""
PAUSE_S: Final = 0.5
"""In which those readers are served, before the ALTER is tried again."""
GIVE_UP_S: Final = 300.0
"""The upgrade then ends with "lock timeout", and may be started again."""

_EXCLUSIVE: Final = "run_studio_exclusively"


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


def exclusively(change: Callable[[], None]) -> None:
    """PostgreSQL: a transaction of its own for a change that locks a table against its readers.

    It is tried again for as long as others use the table, and each time it gives way to readers at
    once: an ALTER in the queue behind a long query makes everybody wait. `change` may therefore be
    called several times, and may itself call what is made of this.
    """
    connection = op.get_bind()
    if not on_postgresql() or connection.info.get(_EXCLUSIVE):
        change()
        return
    give_up = time.monotonic() + GIVE_UP_S
    with outside_transaction():
        connection.info[_EXCLUSIVE] = True
        try:
            while not _changed(change, last=time.monotonic() > give_up):
                time.sleep(PAUSE_S)
        finally:
            connection.info.pop(_EXCLUSIVE)


def _changed(change: Callable[[], None], *, last: bool) -> bool:
    """False: somebody uses the table. Raises that where it was the last time."""
    try:
        with transaction_of_its_own():
            op.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
            change()
    except OperationalError as error:
        if last or not isinstance(error.orig, LockNotAvailable):
            raise
        return False
    return True


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

    def change() -> None:
        for column in absent:
            op.add_column(table, _addable(column))

    if absent:
        exclusively(change)


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
    if is_there(sa.inspect(op.get_bind()), table, name, columns, unique=bool(index.unique)):
        return
    with outside_transaction():
        op.create_index(
            name,
            table,
            columns,
            unique=bool(index.unique),
            postgresql_concurrently=on_postgresql(),
            postgresql_ops=index.dialect_options["postgresql"]["ops"],
            postgresql_where=index.dialect_options["postgresql"]["where"],
            sqlite_where=index.dialect_options["sqlite"]["where"],
        )


def narrow_index(index: sa.Index) -> None:
    """Let `index`, which is of some rows, stand where one of its name is of all rows."""
    assert index.table is not None
    name = str(index.name)
    there = sa.inspect(op.get_bind()).get_indexes(index.table.name)
    if any(found["name"] == name and not _where(found) for found in there):
        with outside_transaction():
            op.drop_index(name, index.table.name, postgresql_concurrently=on_postgresql())
    create_index(index)


def is_there(
    inspector: sa.Inspector, table: str, name: str, columns: Sequence[str], *, unique: bool
) -> bool:
    """An index of that name, or what makes the columns unique under another name."""
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
    rules = ", ".join(
        f"ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID"
        for name, rule in checks.items()
        if name not in there
    )
    if rules:
        exclusively(lambda: op.execute(f"ALTER TABLE {table} {rules}"))


def validate_checks(table: str, names: Sequence[str]) -> None:
    """PostgreSQL: under a lock that lets readers and writers through, in one go over the rows."""
    if not on_postgresql():
        return
    validations = ", ".join(f"VALIDATE CONSTRAINT {name}" for name in names)
    with outside_transaction():
        op.execute(f"ALTER TABLE {table} {validations}")


def _check_names(table: str) -> set[str]:
    inspector = sa.inspect(op.get_bind())
    return {str(check["name"]) for check in inspector.get_check_constraints(table)}
