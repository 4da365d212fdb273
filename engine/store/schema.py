"""Brings a database to the newest revision, and says whether it is there. Needs no Flask."""

from __future__ import annotations

from sqlalchemy import Engine

from engine.store.tables import METADATA


def upgrade(engine: Engine) -> None:
    METADATA.create_all(engine)
