"""A full disk under SQLite: what was accepted is kept, what was not is refused, nothing is torn.

A limit on the size of files stands for the disk: it works everywhere, and for one process alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowRun
from tests import builders

pytestmark = pytest.mark.drill

ROOT = Path(__file__).resolve().parents[2]

LAUNCHER = """
import json, resource, signal, sys
from sqlalchemy.exc import OperationalError
from engine.runs.payload import Payload
from engine.services.context import Limits
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.store.session import Store, make_engine
from tests import builders
from tests.run_cases import SOMEBODY

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(make_engine(sys.argv[1]))
services = builders.services(store, limits=Limits(launches_per_minute=10_000))
resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 2**20, 3 * 2**20))
accepted, refused = [], 0
while refused < 3:
    payload = Payload({"filling": "x" * 200_000})
    try:
        run = launch_published_workflow_run(services, LaunchRequest("greet", payload, SOMEBODY))
    except OperationalError:
        refused += 1
    else:
        accepted.append(run.run_id)
    assert len(accepted) < 1000, "the disk was never full"
print(json.dumps(accepted))
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_accepted_is_kept_and_the_rest_is_refused(store: Store, database_url: str) -> None:
    builders.published(store, "greet")
    store.engine.dispose()
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, database_url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    accepted = json.loads(done.stdout.splitlines()[-1])
    assert accepted
    again = Store(make_engine(database_url))
    with again.reading() as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        rows = session.scalars(select(WorkflowRun.run_id)).all()
    assert sorted(rows) == sorted(accepted)
    with again.writing() as session:
        session.execute(text("UPDATE workflow_runs SET reason = 'there is room again'"))
    again.engine.dispose()
