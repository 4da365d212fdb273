"""Runs of the leaky workflow in every state, and all that was printed while they got there."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from werkzeug.security import generate_password_hash

from engine.runs.roles import Role
from engine.store.bulk import BulkOperation
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.tables import Operator, WorkflowHumanTask, WorkflowRunWait
from tests import builders
from tests.integration.commands.conftest import CommandLine
from tests.integration.privacy import leaky
from tests.integration.web.browser import PASSWORD, Browser
from tests.studio import Studio


@dataclass
class Lives:
    house: CommandLine
    web_log: io.StringIO
    browsers: dict[Role, Browser] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    """Run ids by what became of them."""
    printed: list[tuple[str, str]] = field(default_factory=list)
    """(command, all that it printed)."""

    @property
    def store(self) -> Store:
        return self.house.services.store

    def flask(self, *arguments: str, code: int = 0, **options: Any) -> str:
        result = self.house(*arguments, code=code, **options)
        self.printed.append((" ".join(arguments[:2]), result.output))
        return result.stdout.strip()

    def sign_in(self) -> None:
        for role in Role:
            operator: Operator = builders.operator(
                role, password_hash=generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
            )
            builders.save(self.store, operator)
            self.browsers[role] = Browser(self.house.app, operator)
            self.browsers[role].sign_in(operator.email)

    def until(self, name: str, holds: Callable[[], bool]) -> None:
        try:
            Studio.eventually(holds, 60)
        except AssertionError:
            raise AssertionError(self.flask("runs", "show", self.runs[name])) from None

    def run(self, run_id: str) -> WorkflowRun:
        with self.store.reading() as session:
            return session.get_one(WorkflowRun, run_id)

    def status(self, name: str) -> str:
        return self.run(self.runs[name]).status

    def ids(self, column: Any) -> list[str]:
        with self.store.reading() as session:
            return [str(found) for found in session.scalars(select(column))]

    def task(self, name: str) -> str | None:
        task = WorkflowHumanTask
        with self.store.reading() as session:
            query = select(task.task_id).where(task.run_id == self.runs[name])
            return session.scalar(query)

    def waits_for_event(self, name: str) -> bool:
        wait = WorkflowRunWait
        with self.store.reading() as session:
            query = select(wait.wait_id).where(
                wait.run_id == self.runs[name], wait.wait_type == "event", wait.status == "WAITING"
            )
            return session.scalar(query) is not None

    def route_values(self) -> dict[str, list[str]]:
        """For every argument of every route that is read."""
        return {
            "run_id": [self.runs[name] for name in ("failed", "waiting", "child", "edited")],
            "task_id": self.ids(WorkflowHumanTask.task_id)[:2],
            "key": ["leaky", "leaky-child", "by-event"],
            "bulk_id": self.ids(BulkOperation.bulk_id),
            "filename": ["app.css"],
            "part": ["input", "output", "error", "attempts", "calls", "logs"],
        }


def live(lives: Lives, url: str) -> None:
    """Everything that leaves something behind."""
    _publish(lives, url)
    lives.sign_in()
    payload = lives.house.file(leaky.PAYLOAD, "payload.json")
    for name in ("failed", "waiting", "canceled"):
        lives.runs[name] = lives.flask("runs", "start", "leaky", "--payload", f"@{payload}")
    lives.runs["replayed"] = lives.flask("runs", "replay", lives.runs["failed"], "--reason", "x")
    lives.flask("events", "send", "hired", "--payload", json.dumps({"token": leaky.HIRED}))
    for name in ("failed", "waiting", "canceled", "replayed"):
        lives.until(name, lambda name=name: lives.task(name) is not None)  # type: ignore[misc]
    _go_on(lives, "failed")
    reason = f"because of {leaky.PASSWORD}"
    lives.flask("runs", "cancel", lives.runs["canceled"], "--reason", reason)
    lives.until("failed", lambda: lives.status("failed") == "FAILED")
    lives.until("canceled", lambda: lives.status("canceled") == "CANCELED")
    _find_others(lives)
    _edit_a_replay(lives)
    lives.browsers[Role.OPERATOR].post(
        "/runs/bulk", {"kind": "replay", "scope": "matching", "query": ""}
    )
    lives.browsers[Role.OPERATOR].post("/views", {"name": "mine", "query": "status=FAILED"})


def _publish(lives: Lives, url: str) -> None:
    for document in (leaky.CHILD_DOCUMENT, leaky.BY_EVENT_DOCUMENT, leaky.leaky(url)):
        lives.flask("definitions", "publish", lives.house.file(document))


def _go_on(lives: Lives, name: str) -> None:
    """Its task is answered, and the event comes that it waits for."""
    answer = {"secretAnswer": leaky.ANSWER, "comment": f"it is {leaky.ANSWER}"}
    task = lives.task(name)
    assert task is not None
    lives.flask("tasks", "answer", task, "--payload", json.dumps(answer))
    lives.until(name, lambda: lives.waits_for_event(name))
    event = {"token": leaky.EVENT, "text": f"paid with {leaky.EVENT}"}
    lives.flask("events", "send", "paid", "--key", leaky.PASSWORD, "--payload", json.dumps(event))


def _find_others(lives: Lives) -> None:
    """The runs that nobody started by hand."""
    run = WorkflowRun
    with lives.store.reading() as session:
        child = select(run.run_id).where(run.parent_run_id == lives.runs["failed"])
        by_event = select(run.run_id).where(run.trigger_type == "event")
        lives.runs["child"] = session.scalars(child).one()
        lives.runs["by event"] = session.scalars(by_event).one()
    lives.until("by event", lambda: lives.status("by event") == "SUCCEEDED")


def _edit_a_replay(lives: Lives) -> None:
    operator = lives.browsers[Role.OPERATOR]
    address = f"/runs/{lives.runs['failed']}/replay"
    form = operator.page(f"{address}?edit=1").form(address, reason="")
    edited = json.loads(form.fields["payload"]) | {"name": "Bob"}
    response = operator.submit(form, reason="again", payload=json.dumps(edited))
    assert response.status_code == 303, response.text
    lives.runs["edited"] = response.headers["Location"].rsplit("/", 1)[-1]
