"""One of everything that pages show, made anew for each control that is pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask
from sqlalchemy import delete, select

from engine.contract import temporal_workflow_id
from engine.runs.roles import Role
from engine.runs.status import OPEN, RunStatus
from engine.services.context import Actor, Services
from engine.services.pause_definition import pause_definition
from engine.services.perform_bulk import perform_bulk
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.saved_views import SavedView
from engine.store.session import Store
from engine.store.waits import WorkflowRunWait
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser
from tests.integration.web.dialog import SCHEMA

STEP: Final = {"id": "first", "type": "state.set", "name": "First", "config": {"state": "done"}}
PAYLOAD: Final = {"customer": {"name": "Harbour"}, "plan": "plus", "seats": 3, "apiKey": "k"}


@dataclass
class World:
    """As one browser's operator finds it."""

    app: Flask
    browser: Browser
    engine: FakeEngine
    role: Role
    typed: dict[str, Any] = field(default_factory=dict)
    """What is typed into the fields of the next form."""
    subject: Any = None
    """What the newest address is about."""

    @property
    def services(self) -> Services:
        found: Services = self.app.extensions["run_studio"]
        return found

    @property
    def store(self) -> Store:
        return self.services.store

    def row(self, table: type[Any], key: str) -> Any:
        with self.store.reading() as session:
            return session.get(table, key)

    def workflow(self) -> WorkflowDefinition:
        """Published twice, with a schema."""
        key = f"w-{builders.new_id()[:8]}"
        of = builders.definition(key, name="Onboard")
        document = builders.document(key, steps=[STEP])
        schema = {key: part for key, part in SCHEMA.items() if key != "additionalProperties"}
        fields: dict[str, Any] = {"definition_json": document, "payload_schema_json": schema}
        builders.save(
            self.store, of, builders.version(of, **fields), builders.version(of, 2, **fields)
        )
        self.subject = of
        return of

    def run(self, status: RunStatus = RunStatus.SUCCEEDED, **fields: Any) -> WorkflowRun:
        """With a log line and a replay; begun, with a step; waiting, with a task and a pause."""
        of = self.workflow()
        run = builders.run(of, status, input_json=PAYLOAD, **fields)
        builders.save(self.store, run)
        replay = builders.run(of, "FAILED", replay_of_run_id=run.run_id)
        builders.save(self.store, builders.log(run), replay)
        if status is not RunStatus.RUNNING or run.claimed_by is not None:
            values: dict[str, Any] = {"input_json": {"a": 1}, "output_json": {"b": 2}}
            builders.save(self.store, builders.step(run, path="root.steps[0]", **values))
        if status in OPEN:
            self.engine.put(temporal_workflow_id(run.run_id))
        if status is RunStatus.WAITING:
            task = builders.wait(run, "human", payload={"title": "Approve it"})
            quota = builders.wait(run, "quota", payload={"limit": 5})
            builders.save(self.store, task, quota, builders.human_task(run, task_id=task.wait_id))
        self.subject = run
        return run

    def bulk(self, kind: str, *, started: bool = False, done: bool = False) -> str:
        """Its address."""
        run = self.run(RunStatus.RUNNING, claimed_by="x")
        chosen = {"kind": kind, "scope": "selected", "run": [run.run_id]}
        response = self.browser.post("/runs/bulk", chosen)
        if response.status_code == 403:  # a viewer: so is the page
            return "/runs/bulk"
        address = str(response.location)
        self.subject = address.rsplit("/", 1)[1]
        if started or done:
            self.browser.post(f"{address}/start", {"reason": "because it must"})
        if done:
            perform_bulk(self.services, "a worker")
        return address

    def view(self) -> str:
        """Of the list of runs, saved; its id."""
        name = f"View {builders.new_id()[:8]}"
        with self.store.writing() as session:
            session.execute(delete(SavedView))
        self.browser.post("/runs/views", {"name": name, "query": "status=FAILED"})
        with self.store.reading() as session:
            found = session.scalars(select(SavedView.view_id).where(SavedView.name == name)).one()
        self.subject = found
        return found

    def paused(self) -> str:
        of = self.workflow()
        assert of.key is not None
        pause_definition(self.services, of.key, Actor(), "Broken")
        return of.key


def _of_run(tail: str) -> list[Callable[[World], str]]:
    return [lambda world: f"/runs/{world.run().run_id}{tail}"]


def _answer(world: World) -> str:
    run = world.run(RunStatus.WAITING)
    of_run = WorkflowRunWait.run_id == run.run_id
    human = select(WorkflowRunWait.wait_id).where(of_run, WorkflowRunWait.wait_type == "human")
    with world.store.reading() as session:
        return f"/waits/{session.scalars(human).one()}/answer"


def _list(world: World, query: str = "") -> str:
    world.run()
    return f"/runs{query}"


PAGES: Final[dict[str, list[Callable[[World], str]]]] = {
    "auth.home": [lambda world: "/"],
    "bulk.index": [lambda world: (world.bulk("cancel", done=True), "/runs/bulk")[1]],
    "bulk.show": [
        lambda world: world.bulk("cancel"),
        lambda world: world.bulk("replay"),
        lambda world: world.bulk("cancel", started=True),
        lambda world: world.bulk("replay", done=True),
    ],
    "definitions.ask_run": [lambda world: f"/workflows/{world.workflow().key}/run"],
    "definitions.graph": [lambda world: f"/workflows/{world.workflow().key}/graph"],
    "definitions.index": [lambda world: (world.workflow(), "/workflows")[1]],
    "definitions.show": [
        lambda world: f"/workflows/{world.workflow().key}",
        lambda world: f"/workflows/{world.paused()}",
    ],
    "engine.index": [lambda world: "/engine"],
    "look.choose": [lambda world: "/look?look=dark"],
    "runs.as_file": [lambda world: _list(world, "/list.csv")],
    "runs.ask_replay": _of_run("/replay")
    + _of_run("/replay?edit=1")
    + _of_run("/replay?edit=form"),
    "runs.ask_reveal": _of_run("/reveal"),
    "runs.audit": _of_run("/audit"),
    "runs.banner": _of_run("/banner"),
    "runs.calls": _of_run("/calls"),
    "runs.compare": _of_run("/compare"),
    "runs.export": _of_run("/export"),
    "runs.graph": _of_run("/graph"),
    "runs.index": [_list, lambda world: _list(world, "?status=FAILED&q=zzz")],
    "runs.jump": [lambda world: f"/runs/jump?q={world.run().run_id}"],
    "runs.log": _of_run("/log"),
    "runs.show": [
        *_of_run(""),
        lambda world: f"/runs/{world.run(RunStatus.WAITING, claimed_by='x').run_id}",
    ],
    "runs.timeline": _of_run("/timeline"),
    "saved_views.index": [lambda world: (world.view(), "/runs/views?query=status%3DFAILED")[1]],
    "waits.ask_answer": [_answer],
    "waits.index": [lambda world: (world.run(RunStatus.WAITING), "/waits")[1]],
}
"""Every page, by endpoint: what makes something new to look at, and its address."""
