"""`worker.py` as a process: it says what it waits for, beats, executes, and leaves when told."""

from __future__ import annotations

import base64
import json
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.contract import TASK_QUEUE, RunResult
from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.gateway.queues import TemporalQueueGateway
from engine.gateway.runs import TemporalRunGateway
from engine.runs.payload import Payload
from engine.services.heartbeat import a_worker_lives
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.store.session import Store, in_transaction
from engine.store.tables import Lease, WorkerHeartbeat
from tests.dev_server import DevServer
from tests.run_cases import SOMEBODY
from tests.studio import Studio
from tests.worker_program import worker

pytestmark = pytest.mark.temporal


def beats(store: Store) -> list[WorkerHeartbeat]:
    with store.reading() as session:
        return list(session.scalars(select(WorkerHeartbeat)))


def launch(studio: Studio, **services: Any) -> str:
    """Of a document with one quick action that every installation has."""
    write = {
        "id": "note",
        "type": "action.call",
        "config": {
            "actionId": "log.write",
            "version": 1,
            "inputMapping": {"level": "INFO", "message": "hello"},
        },
    }
    key = studio.publish(write).key
    request = LaunchRequest(workflow_key=key, payload=Payload({}), actor=SOMEBODY)
    return launch_published_workflow_run(replace(studio.services, **services), request).run_id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_beats_executes_and_leaves_cleanly_when_it_is_told_to(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path, number: int
) -> None:
    settings = {"TEMPORAL_ADDRESS": temporal_address, "DATABASE_URL": sqlite_url}
    with worker(tmp_path, WORKER_SLOTS="3", **settings) as running:
        running.says("worker.started")
        own_studio.eventually(lambda: len(beats(own_studio.store)) == 1)
        beat = beats(own_studio.store)[0]
        assert (beat.state, beat.task_queue, beat.slots) == ("running", TASK_QUEUE, 6)
        assert beat.identity.startswith(f"{running.process.pid}@")
        assert "log.write@1" in beat.registry_json
        assert own_studio.ended(launch(own_studio)).status == "SUCCEEDED"
        code, took_s = running.stop(number)
    assert code == 0, running.said
    assert took_s < 6
    assert [beat.state for beat in beats(own_studio.store)] == ["stopped"]
    with own_studio.store.reading() as session:
        assert not a_worker_lives(session, own_studio.services.now())
        lease = session.get_one(Lease, "reconciler")
    assert lease.owner is None
    assert lease.last_pass_json["reachable"] is True


def test_what_the_sdk_warns_of_is_logged_as_the_rest_is(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    """By itself it writes to standard output, and waits there with every run when nobody reads."""
    settings = {"TEMPORAL_ADDRESS": temporal_address, "DATABASE_URL": sqlite_url}
    with worker(tmp_path, LOG_JSON="true", **settings) as running:
        running.says("worker.started")
        not_ours = own_studio.ask(
            lambda client: client.start_workflow(
                "NotOurs", id=f"not-ours-{running.process.pid}", task_queue=TASK_QUEUE
            )
        )
        running.says("Failing workflow task")
        own_studio.ask(lambda _: not_ours.terminate())
        running.stop()
    lines = [json.loads(line) for line in running.said.splitlines()]
    assert "temporalio.core" in {line["logger"] for line in lines if "Failing" in line["event"]}


def test_temporal_lists_it_under_the_name_that_its_heartbeat_has(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    settings = {"TEMPORAL_ADDRESS": temporal_address, "DATABASE_URL": sqlite_url}
    thread = LoopThread()
    queues = TemporalQueueGateway(LazyConnection(TemporalOptions(temporal_address), thread))
    with worker(tmp_path, **settings) as running:
        running.says("worker.started")
        own_studio.eventually(lambda: bool(beats(own_studio.store)))
        identity = beats(own_studio.store)[0].identity

        def is_listed() -> bool:
            pollers = queues.describe_queue().workflow_pollers
            return identity in [poller.identity for poller in pollers]

        own_studio.eventually(is_listed)
        running.stop()
    thread.stop()


def test_it_waits_for_a_temporal_that_comes_later_and_says_so(
    sqlite_url: str, tmp_path: Path
) -> None:
    server = DevServer(tmp_path)
    settings = {"TEMPORAL_ADDRESS": server.address, "DATABASE_URL": sqlite_url}
    with worker(tmp_path, **settings) as running:
        running.says(f"Temporal at {server.address} does not answer")
        server.start()
        running.says("worker.started")
        assert running.stop()[0] == 0
    server.kill()


def test_it_can_be_told_to_leave_while_it_waits(sqlite_url: str, tmp_path: Path) -> None:
    settings = {"TEMPORAL_ADDRESS": "127.0.0.1:9", "DATABASE_URL": sqlite_url}
    with worker(tmp_path, **settings) as running:
        running.says("does not answer")
        code, took_s = running.stop()
    assert (code, took_s < 6) == (0, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_told_to_leave_before_it_has_begun(tmp_path: Path, number: int) -> None:
    """Here while it waits for a database that takes its connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://somebody@127.0.0.1:{silent.getsockname()[1]}/name"
        with worker(tmp_path, DATABASE_URL=url) as running:
            silent.settimeout(30)
            connection, _ = silent.accept()
            with connection:
                code, took_s = running.stop(number)
    assert (code, took_s < 4) == (0, True), running.said
    assert "Traceback" not in running.said
    assert list(tmp_path.glob("worker-*.json")) == []


def test_it_names_a_namespace_that_is_not_there(
    temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    settings = {"TEMPORAL_ADDRESS": temporal_address, "DATABASE_URL": sqlite_url}
    with worker(tmp_path, TEMPORAL_NAMESPACE="nowhere", **settings) as running:
        running.says("has no namespace 'nowhere'")


def test_a_database_without_our_schema_ends_it_with_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    with worker(tmp_path, DATABASE_URL=url) as running:
        assert running.ends() == 1
    assert "flask db upgrade" in running.said


def test_a_database_that_is_not_there_ends_it_with_its_name_and_without_its_password(
    tmp_path: Path,
) -> None:
    url = "postgresql://somebody:hunter2@127.0.0.1:9/nothing"
    with worker(tmp_path, DATABASE_URL=url) as running:
        assert running.ends() == 1
    assert "127.0.0.1:9/nothing" in running.said
    assert "hunter2" not in running.said


def test_all_wrong_settings_are_listed_at_once_without_their_values(tmp_path: Path) -> None:
    wrong = {"WORKER_SLOTS": "0", "TEMPORAL_CODEC_KEY": "hunter2", "REDACTION_PATTERNS": "(("}
    with worker(tmp_path, **wrong) as running:
        assert running.ends() == 2
    for name in wrong:
        assert name in running.said
    assert "hunter2" not in running.said


def test_a_killed_worker_s_run_is_finished_by_another(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    settings = {"TEMPORAL_ADDRESS": temporal_address, "DATABASE_URL": sqlite_url}
    wait = {
        "id": "wait",
        "type": "time.wait",
        "config": {"mode": "duration", "durationMs": 1500},
    }
    with worker(tmp_path, **settings) as first:
        first.says("worker.started")
        run_id = own_studio.start(own_studio.publish(wait))
        own_studio.eventually(lambda: own_studio.run(run_id).status == "WAITING")
        first.process.kill()
    with worker(tmp_path, **settings) as second:
        assert own_studio.ended(run_id, 40).status == "SUCCEEDED"
        second.stop()


def test_with_a_codec_key_nothing_that_temporal_stores_is_readable_and_runs_still_work(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    key = bytes(range(32))
    thread = LoopThread()
    connection = LazyConnection(TemporalOptions(temporal_address, codec_key=key), thread)
    gateway = TemporalRunGateway(connection, in_transaction)
    settings = {
        "TEMPORAL_ADDRESS": temporal_address,
        "DATABASE_URL": sqlite_url,
        "TEMPORAL_CODEC_KEY": base64.urlsafe_b64encode(key).decode(),
    }
    with worker(tmp_path, **settings) as running:
        running.says("worker.started")
        run_id = launch(own_studio, gateway=gateway)
        assert own_studio.ended(run_id).status == "SUCCEEDED"
        running.stop()
    # Read by a client that has no key.
    stored = str(own_studio.history(run_id))
    assert "binary/encrypted" in stored
    assert "hello" not in stored
    assert gateway.ending_of(f"run-{run_id}").result == RunResult("SUCCEEDED")
    thread.stop()
