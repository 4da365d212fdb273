"""INSERT with ON CONFLICT: PostgreSQL and SQLite say it alike, SQLAlchemy for each by itself."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_into(session: Session, table: Any) -> postgresql.Insert:
    """`table`: mapped class or table. To be given `on_conflict_do_nothing` or `…_do_update`."""
    return insert_for(session.get_bind().dialect.name, table)


def insert_for(dialect: str, table: Any) -> postgresql.Insert:
    """The same for statements that are built once a dialect."""
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return cast(postgresql.Insert, make(table))
