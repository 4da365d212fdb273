"""Brings a database to the newest revision, and says whether it is there. Needs no Flask."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from engine.errors import Conflict

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Raises `Conflict` with the reasons where the cut-over refuses; nothing was changed then."""
    try:
        command.upgrade(_config(engine), revision)
    except CommandError as error:
        raise Conflict(str(error), code="SCHEMA_REFUSED") from error


def stamp(engine: Engine, revision: str) -> None:
    """Say that the database is at `revision` already: how an older one is adopted."""
    command.stamp(_config(engine), revision)


def head() -> str:
    """The newest revision."""
    revision = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert revision is not None
    return revision


@cache
def earlier() -> frozenset[str]:
    """Every revision before the newest."""
    script = ScriptDirectory(str(MIGRATIONS))
    return frozenset(found.revision for found in script.walk_revisions()) - {head()}


def current(engine: Engine) -> str | None:
    """The revision the database is at; None: it has no schema of ours. Several, with commas between
    them, where somebody has written to Alembic's table."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    return ", ".join(sorted(found)) or None


def at_head(engine: Engine) -> bool:
    return current(engine) == head()


def _config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = engine.url.render_as_string(hide_password=False)
    return config
