"""Launching on a real Temporal: what was accepted is executed, or the row says why not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.contract import temporal_workflow_id
from engine.definitions.compile import compile_plan
from engine.definitions.document import Document
from engine.errors import Unavailable
from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from engine.runs.payload import Payload
from engine.services.launch_run import LaunchRequest, accept, launch_published_workflow_run
from engine.services.reconcile_runs import OLD_ENOUGH, reconcile
from engine.store.session import Store, in_transaction, make_engine
from tests import builders, work_actions
from tests.dev_server import DevServer, free_port
from tests.run_cases import SOMEBODY
from tests.studio import Studio

pytestmark = pytest.mark.temporal

WORK = {
    "id": "work",
    "type": "action.call",
    "config": {"actionId": "work.once", "version": 1, "inputMapping": {"note": "it"}},
}


@pytest.fixture
def own(own_studio: Studio) -> Studio:
    return own_studio


def publish(studio: Studio) -> LaunchRequest:
    key = f"d-{builders.new_id()}"
    document = builders.document(key, steps=[WORK])
    plan = compile_plan(Document.model_validate(document), studio.tools.registry)
    builders.published(studio.store, key, document=document, plan=plan)
    return LaunchRequest(workflow_key=key, payload=Payload({"a": 1}), actor=SOMEBODY)


class LosesAnswers:
    """A gateway whose start happens, and whose answer does not arrive."""

    def __init__(self, gateway: TemporalRunGateway, after_start: object = lambda run_id: None):
        self._gateway = gateway
        self._after_start = after_start

    def start_run(self, run_id: str) -> str:
        self._gateway.start_run(run_id)
        self._after_start(run_id)
        raise Unavailable("the connection broke")

    def __getattr__(self, name: str) -> object:
        return getattr(self._gateway, name)


def test_a_launched_run_is_executed(own: Studio) -> None:
    with own.worker():
        launched = launch_published_workflow_run(own.services, publish(own))
        run = own.ended(launched.run_id)
    assert (run.status, run.input_json) == ("SUCCEEDED", {"a": 1})
    assert run.claimed_by == run.temporal_run_id
    assert own.effects() == ["begin it", "end it"]


def test_a_run_started_while_no_worker_runs_is_executed_when_the_worker_comes(own: Studio) -> None:
    launched = launch_published_workflow_run(own.services, publish(own))
    time.sleep(1)
    run = own.run(launched.run_id)
    assert (run.status, run.claimed_by, own.steps(run.run_id)) == ("RUNNING", None, [])
    with own.worker():
        assert own.ended(launched.run_id).status == "SUCCEEDED"
    assert own.effects() == ["begin it", "end it"]


def test_a_lost_answer_fails_the_run_only_while_nothing_has_claimed_it(own: Studio) -> None:
    services = replace(own.services, gateway=LosesAnswers(own.services.gateway))
    with pytest.raises(Unavailable) as caught:
        launch_published_workflow_run(services, publish(own))
    run_id = caught.value.details["run_id"]
    assert own.run(run_id).status == "FAILED"
    assert own.temporal_status(run_id) == "RUNNING"
    with own.worker():
        own.eventually(lambda: own.temporal_status(run_id) == "COMPLETED")
    after = own.run(run_id)
    assert (after.status, after.claimed_by) == ("FAILED", None)
    assert own.effects() == []
    ending = own.services.gateway.ending_of(temporal_workflow_id(run_id))
    assert ending.result is not None
    assert ending.result.status == "NOT_CLAIMED"


def test_a_lost_answer_of_a_run_that_a_worker_has_claimed_is_success(own: Studio) -> None:
    def is_claimed(run_id: str) -> None:
        own.eventually(lambda: own.run(run_id).claimed_by is not None)

    services = replace(own.services, gateway=LosesAnswers(own.services.gateway, is_claimed))
    with own.worker():
        launched = launch_published_workflow_run(services, publish(own))
        assert own.ended(launched.run_id).status == "SUCCEEDED"
    assert own.effects() == ["begin it", "end it"]


def test_a_process_that_dies_between_commit_and_start_leaves_a_run_that_is_executed_once(
    own: Studio,
) -> None:
    accepted = accept(own.services, publish(own))
    later = replace(own.services, now=lambda: own.run(accepted.run_id).started_at + 2 * OLD_ENOUGH)
    with own.worker():
        report = reconcile(later, "me")
        assert report is not None
        assert report["mended"] == {"started": 1}
        assert own.ended(accepted.run_id).status == "SUCCEEDED"
    assert own.effects() == ["begin it", "end it"]


def test_with_temporal_away_a_launch_is_unavailable_within_seconds_and_the_row_is_failed(
    own: Studio,
) -> None:
    thread = LoopThread()
    connection = LazyConnection(TemporalOptions(f"127.0.0.1:{free_port()}"), thread)
    services = replace(own.services, gateway=TemporalRunGateway(connection, in_transaction))
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        launch_published_workflow_run(services, publish(own))
    assert time.monotonic() - began < 10
    run = own.run(caught.value.details["run_id"])
    assert (run.status, run.error_json["stage"]) == ("FAILED", "launch")
    thread.stop()


def test_runs_accepted_before_temporal_was_killed_are_executed_after_its_restart(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(work_actions.EFFECTS, str(tmp_path / "effects"))
    server = DevServer(tmp_path)
    server.start()
    engine = make_engine(sqlite_url, pool_size=40)
    studio = Studio(server.address, Store(engine), tmp_path / "effects")
    try:
        request = publish(studio)
        launched = [launch_published_workflow_run(studio.services, request) for _ in range(5)]
        server.kill()
        server.start()
        with studio.worker():
            for one in launched:
                assert studio.ended(one.run_id).status == "SUCCEEDED"
        assert len(studio.effects()) == 10
    finally:
        studio.close()
        engine.dispose()
        server.kill()
