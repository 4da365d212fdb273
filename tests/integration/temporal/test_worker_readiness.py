"""`worker.py` turns unready while Temporal or its database is away, and ready again by itself.

Real processes, and a network between them that is cut. Liveness is another question: it never dies
of it. Its host's probe is asked, as the compose file's health check does.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from engine.services.context import Services
from engine.services.handshake import Known
from engine.services.workers_seen import Presence, SeenWorker, workers_seen
from engine.store.session import Store, make_engine
from engine.store.workers import Handshake
from tests import builders
from tests.drills.proxy import Proxy
from tests.studio import Studio
from tests.worker_program import ROOT, worker

pytestmark = pytest.mark.temporal


def probe(folder: Path, what: str = "worker") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.probe", what],
        cwd=ROOT,
        env={"DATA_DIR": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def seen(services: Services) -> SeenWorker:
    with services.store.reading() as session:
        (one,) = workers_seen(session, Known("?", ()), services.now())
    return one


def through(proxy: Proxy, url: str) -> str:
    """The database's URL, by way of a proxy."""
    return (
        make_url(url)
        .set(host="127.0.0.1", port=proxy.port, query={})
        .render_as_string(hide_password=False)
    )


def socket_file(url: str) -> str:
    parsed = make_url(url)
    host, port = parsed.host or str(parsed.query["host"]), parsed.port or 5432
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else f"{host}:{port}"


def test_it_is_ready_while_temporal_and_its_database_are_and_lives_all_the_time(
    temporal_address: str, postgres_url: str, tmp_path: Path
) -> None:
    temporal, database = Proxy(temporal_address), Proxy(socket_file(postgres_url))
    settings = {
        "TEMPORAL_ADDRESS": temporal.address,
        "DATABASE_URL": through(database, postgres_url),
    }
    store = Store(make_engine(postgres_url))
    services = builders.services(store, now=lambda: datetime.now(UTC))
    temporal.cut()
    with worker(tmp_path, **settings) as running:
        running.says("does not answer")
        assert probe(tmp_path)[0] == 1
        assert probe(tmp_path, "worker-live") == (0, "")
        temporal.mend()
        running.says("worker.started")
        Studio.eventually(lambda: probe(tmp_path) == (0, ""))
        Studio.eventually(lambda: seen(services).presence is Presence.READY)

        temporal.cut()
        Studio.eventually(lambda: "Temporal does not answer" in probe(tmp_path)[1], 30)
        Studio.eventually(lambda: seen(services).presence is Presence.UNREADY)
        assert seen(services).unready_because == "Temporal does not answer"
        temporal.mend()
        Studio.eventually(lambda: probe(tmp_path) == (0, ""), 30)
        Studio.eventually(lambda: seen(services).presence is Presence.READY)

        database.cut()
        Studio.eventually(lambda: "the database does not answer" in probe(tmp_path)[1], 30)
        assert probe(tmp_path, "worker-live") == (0, "")
        database.mend()
        Studio.eventually(lambda: probe(tmp_path) == (0, ""), 30)
        assert running.process.poll() is None
        assert running.stop()[0] == 0
    assert probe(tmp_path, "worker-live")[0] == 1
    assert seen(services).presence is Presence.STOPPED
    store.engine.dispose()
    temporal.close()
    database.close()


def test_at_its_start_it_says_which_actions_the_web_knows_and_it_does_not(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    web = Handshake(
        registry_fingerprint="the web's",
        release="0.2.0",
        registry_json=["crm.update@1", "log.write@1"],
        seen_at=own_studio.services.now(),
    )
    builders.save(own_studio.store, web)
    settings = {"TEMPORAL_ADDRESS": temporal_address, "DATABASE_URL": sqlite_url}
    with worker(tmp_path, LOG_JSON="false", **settings) as running:
        running.says("worker.started")
        said = re.search(r"worker\.other_actions_than_the_web.*", running.said)
        assert said is not None
        assert "crm.update@1" in said[0]
        assert "0.2.0" in said[0]
        running.stop()
    with own_studio.store.reading() as session:
        assert session.scalars(select(Handshake.registry_fingerprint)).all() == ["the web's"]
