"""Is the database there, and is its schema the one that this program was written for?"""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from engine.errors import Conflict, Unavailable
from engine.store import schema
from engine.store.session import Store


def check_schema(store: Store) -> None:
    """Raises `Unavailable` (no database) or `Conflict` (another schema, with a `remedy` in its
    details)."""
    # Alembic announces how it looks; who only looks does not want to hear it.
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    try:
        found = schema.current(store.engine)
    except SQLAlchemyError as error:
        place = store.engine.url.render_as_string(hide_password=True)
        raise Unavailable(
            f"The database {place} cannot be used: {words_of(error)}", code="DATABASE_UNAVAILABLE"
        ) from error
    needed = schema.head()
    if found != needed:
        state, remedy = f"at revision {found}" if found else "without a schema", _remedy(found)
        raise Conflict(
            f"The database is {state}; this program needs {needed}. {remedy}",
            code="SCHEMA_NOT_AT_HEAD",
            details={"remedy": remedy},
        )


def is_behind(store: Store) -> bool:
    """Does the schema lack what this program needs? A newer release's, not known here, does not:
    every migration works with the release before it. Raises `SQLAlchemyError`."""
    found = schema.current(store.engine)
    return found is None or found in schema.earlier()


def _remedy(found: str | None) -> str:
    if found is None or found in schema.earlier():
        return "Run `flask db upgrade`."
    if "," in found:
        return "Restore a backup, or correct the table alembic_version: it must hold one revision."
    return "Deploy the newer release that has upgraded it: this one does not know that revision."


def words_of(error: SQLAlchemyError) -> str:
    """The driver's own words, without the statement."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
