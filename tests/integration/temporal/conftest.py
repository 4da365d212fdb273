"""One real Temporal for all tests of this folder, and an engine on it with a worker in-process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from engine.store import schema
from engine.store.session import Store, make_engine
from tests import work_actions
from tests.databases import PostgresDatabases, SqliteDatabases
from tests.dev_server import DevServer
from tests.stub_worker import StubWorker
from tests.studio import Studio

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 1024**3
CONTINUE_AT = 25
"""Events, of `low`."""


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in memory where there is one: what is there need not survive the machine, and
    most of what these tests would wait for is the disk."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ENOUGH_BYTES:
        yield tmp_path_factory.mktemp("memory")
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def temporal_address(memory: Path) -> Iterator[str]:
    """The service that TEMPORAL_ADDRESS names, or a dev server of this test process."""
    named = os.environ.get("TEMPORAL_ADDRESS")
    if named:
        yield named
        return
    server = DevServer(memory)
    server.start()
    yield server.address
    server.kill()


@pytest.fixture(scope="session")
def studio_database(sqlite_databases: SqliteDatabases, memory: Path) -> str:
    return sqlite_databases.create(memory, migrate)


def migrate(url: str) -> None:
    engine = make_engine(url)
    schema.upgrade(engine)
    engine.dispose()


def a_studio(address: str, url: str, effects: Path) -> Iterator[Studio]:
    engine = make_engine(url, pool_size=40)
    studio = Studio(address, Store(engine), effects)
    yield studio
    studio.close()
    engine.dispose()


@pytest.fixture(scope="session")
def _shared_studio(
    temporal_address: str, studio_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    yield from a_studio(temporal_address, studio_database, tmp_path_factory.mktemp("effects") / "x")


@pytest.fixture
def studio(_shared_studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """The engine without a worker, with effects of this test only."""
    _shared_studio.effects_file = tmp_path / "effects"
    monkeypatch.setenv(work_actions.EFFECTS, str(_shared_studio.effects_file))
    return _shared_studio


@pytest.fixture
def worked(studio: Studio) -> Iterator[Studio]:
    """The engine with a worker."""
    with studio.worker():
        yield studio


@pytest.fixture
def own_studio(
    temporal_address: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    """As `studio`, with a database of its own: the reconciler looks at every run in it."""
    monkeypatch.setenv(work_actions.EFFECTS, str(tmp_path / "effects"))
    yield from a_studio(temporal_address, sqlite_url, tmp_path / "effects")


@pytest.fixture
def on_postgres(
    temporal_address: str,
    postgres_databases: PostgresDatabases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Studio]:
    """As `worked`, on PostgreSQL."""
    url = postgres_databases.create(migrate)
    monkeypatch.setenv(work_actions.EFFECTS, str(tmp_path / "effects"))
    for studio in a_studio(temporal_address, url, tmp_path / "effects"):
        with studio.worker():
            yield studio
    postgres_databases.drop(url)


@pytest.fixture(scope="session")
def low_address(memory: Path) -> Iterator[str]:
    """A Temporal that soon suggests to continue as new."""
    directory = memory / "low"
    directory.mkdir()
    server = DevServer(directory, f"limit.historyCount.suggestContinueAsNew={CONTINUE_AT}")
    server.start()
    yield server.address
    server.kill()


@pytest.fixture
def low(
    low_address: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    """As `worked`, where a run of some ten steps goes on in a new execution."""
    monkeypatch.setenv(work_actions.EFFECTS, str(tmp_path / "effects"))
    for studio in a_studio(low_address, sqlite_url, tmp_path / "effects"):
        with studio.worker():
            yield studio


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A Temporal of one file alone: who polled before would be seen for minutes."""
    server = DevServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def connection(server: DevServer) -> Iterator[LazyConnection]:
    thread = LoopThread()
    yield LazyConnection(TemporalOptions(server.address), thread)
    thread.stop()


@pytest.fixture
def gateway(connection: LazyConnection) -> TemporalRunGateway:
    return TemporalRunGateway(connection, lambda: False)


@pytest.fixture
def stub_worker(server: DevServer) -> Iterator[str]:
    """A worker that runs `Stub`; its identity."""
    with StubWorker(server) as identity:
        yield identity
