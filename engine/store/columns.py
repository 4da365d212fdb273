"""Columns as the migrations write them: short, and the same on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine.store import ddl
from engine.store.base import Json, UtcDateTime, Uuid

Column = sa.Column[Any]


def key(name: str) -> Column:
    """A primary key that PostgreSQL can make by itself."""
    default = sa.text("gen_random_uuid()") if ddl.on_postgresql() else None
    return sa.Column(name, Uuid, primary_key=True, server_default=default)


def run_id() -> Column:
    reference = sa.ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    return sa.Column("run_id", Uuid, reference, nullable=False)


def text(name: str, *, null: bool = True, default: str | None = None) -> Column:
    return sa.Column(name, sa.String, nullable=null, server_default=default)


def number(name: str, *, null: bool = True, default: str | None = None) -> Column:
    return sa.Column(name, sa.Integer, nullable=null, server_default=default)


def flag(name: str, *, default: bool = False) -> Column:
    value = sa.true() if default else sa.false()
    return sa.Column(name, sa.Boolean, nullable=False, server_default=value)


def json(name: str, *, null: bool = True) -> Column:
    return sa.Column(name, Json, nullable=null)


def uuid(name: str) -> Column:
    return sa.Column(name, Uuid)


def time(name: str) -> Column:
    return sa.Column(name, UtcDateTime)


def now(name: str) -> Column:
    return sa.Column(name, UtcDateTime, nullable=False, server_default=sa.func.now())
