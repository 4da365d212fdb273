"""One run of each document on a whole engine in this process: what the checker is tested with."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.actions.registry import default_registry
from engine.actions.secrets import Secrets
from engine.runs.payload import Payload
from engine.services.action_attempt import ActionTools
from engine.services.answer_task import answer_task
from engine.services.cancel_run import cancel_run
from engine.services.context import Actor
from engine.services.deliver_event import deliver_event
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.services.publish_definition import publish
from engine.services.tend_waits import tend_waits
from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowHumanTask, WorkflowRunWait
from tests.dev_server import DevServer
from tests.drills.actions import ACTIONS, EFFECTS
from tests.drills.checker import Checker
from tests.drills.documents import EVENT, LAUNCHED, SHAPES
from tests.drills.evidence import Evidence, gather
from tests.drills.house import CONTINUE_EARLY
from tests.drills.retold import Chain
from tests.studio import Studio

ACTOR = Actor(source="command")


@dataclass
class Sample:
    evidence: dict[str, Evidence]
    """By the workflow's key: of the first run of it."""
    chains: dict[str, Chain]
    """By run."""
    effects: Path

    def chain(self, key: str) -> Chain:
        return self.chains[self.evidence[key].run.run_id]


@contextmanager
def a_sample(directory: Path, url: str) -> Iterator[Sample]:
    server, before = DevServer(directory, *CONTINUE_EARLY), os.environ.get(EFFECTS)
    os.environ[EFFECTS] = str(directory / "effects")
    server.start()
    studio = Studio(server.address, Store(make_engine(url, pool_size=40)), directory / "effects")
    checker = Checker(studio.store, server.address, directory / "effects")
    try:
        _equip(studio)
        with studio.worker():
            _execute(studio, checker)
        runs = gather(studio.store)
        found = {one.key: one for one in reversed(runs)}
        yield Sample(found, checker.chains(runs), directory / "effects")
    finally:
        checker.close()
        studio.close()
        studio.store.engine.dispose()
        server.kill()
        os.environ.pop(EFFECTS)
        if before is not None:
            os.environ[EFFECTS] = before


def _equip(studio: Studio) -> None:
    registry = default_registry(plugins=())
    for action in ACTIONS:
        registry.register(action)
    studio.tools = ActionTools(registry, Secrets({}))
    studio.services = replace(studio.services, catalogue=registry)
    for shape in SHAPES:
        if shape.trigger is None:
            publish(studio.services, shape.document, ACTOR)


def _execute(studio: Studio, checker: Checker) -> None:
    requests = [LaunchRequest(shape.key, Payload({}), ACTOR) for shape in LAUNCHED]
    started = [launch_published_workflow_run(studio.services, one).run_id for one in requests]
    for shape, run_id in zip(LAUNCHED, started, strict=True):
        if shape.told == "event":
            _send(studio, run_id)
            _send(studio, run_id)
        elif shape.told == "answer":
            _answer(studio, run_id)
        elif shape.told in {"cancel", "bulk"}:
            _wait_for(studio, run_id)
            cancel_run(studio.services, run_id, ACTOR, None)
    deadline = time.monotonic() + 60
    while left := checker.unsettled():
        assert time.monotonic() < deadline, left
        tend_waits(studio.services, "the sample")
        time.sleep(0.1)


def _send(studio: Studio, run_id: str) -> None:
    deliver_event(studio.services, EVENT, run_id, {"n": 1}, actor=ACTOR)


def _answer(studio: Studio, run_id: str) -> None:
    task = _first(studio, select(WorkflowHumanTask.task_id).filter_by(run_id=run_id))
    answer_task(studio.services, task, ACTOR, {"ok": True}, "a-token")


def _wait_for(studio: Studio, run_id: str) -> None:
    _first(studio, select(WorkflowRunWait.wait_id).filter_by(run_id=run_id))


def _first(studio: Studio, query: Any) -> str:
    found: list[str] = []

    def look() -> bool:
        with studio.store.reading() as session:
            found.extend(session.scalars(query))
        return bool(found)

    Studio.eventually(look)
    return found[0]
