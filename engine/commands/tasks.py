"""`flask tasks`: the inbox, answers, and the forms of task types (docs/rules.md 7)."""

from __future__ import annotations

from uuid import uuid4

import click

from engine.commands.arguments import PayloadText, TextFile, as_json
from engine.commands.output import print_json, print_table, say
from engine.commands.session import ACTOR, ENDED_OTHERWISE, CommandGroup, services
from engine.contract import Json
from engine.interpreter.failure import timestamp
from engine.runs import strict_json
from engine.runs.status import WaitType
from engine.services.answer_task import AnswerState, answer_task
from engine.services.find_waits import WaitView, list_open_waits
from engine.services.keyset import Cursor
from engine.services.redact_run import Rules
from engine.services.task_types import define_task_type

tasks = CommandGroup("tasks", help="Tasks that wait for a person.")


@tasks.command("list")
@as_json
def list_tasks(as_json: bool) -> None:
    """List the open tasks, those that were opened last first."""
    found = _open_tasks()
    if as_json:
        print_json([_data(task) for task in found])
        return
    print_table(
        ("ID", "WORKFLOW", "TITLE", "ASSIGNEE", "DUE", "RUN"),
        (
            (
                task.wait_id,
                task.workflow_key or task.workflow_name,
                task.title,
                task.assignee,
                None if task.due_at is None else timestamp(task.due_at),
                task.run_id,
            )
            for task in found
        ),
    )


@tasks.command("answer")
@click.argument("task_id", metavar="ID")
@click.option("--payload", type=PayloadText(), required=True, metavar="JSON|@FILE")
@click.option(
    "--key", "token", metavar="TOKEN", help="The same token again is the same answer, not another."
)
@as_json
@click.pass_context
def answer(
    context: click.Context, task_id: str, payload: str, token: str | None, as_json: bool
) -> None:
    """Answer the task ID."""
    receipt = answer_task(
        services(), task_id, ACTOR, strict_json.parse(payload), token or str(uuid4())
    )
    if as_json:
        print_json({"id": receipt.task_id, "runId": receipt.run_id, "state": receipt.state.value})
    if receipt.state is AnswerState.ACCEPTED:
        say("The answer is accepted.")
        return
    say("Not confirmed yet: it may still be accepted when a worker comes.")
    context.exit(ENDED_OTHERWISE)


@tasks.command("define")
@click.argument("task_type", metavar="TYPE")
@click.argument("file", metavar="FORM_SCHEMA_FILE", type=TextFile())
def define(task_type: str, file: bytes) -> None:
    """Give the task type TYPE the JSON Schema in FORM_SCHEMA_FILE. Open tasks keep theirs."""
    if define_task_type(services(), task_type, strict_json.parse(file), ACTOR):
        say(f"Defined {task_type}.")
    else:
        say(f"{task_type} has this form already: no change.")


def _open_tasks() -> list[WaitView]:
    found: list[WaitView] = []
    cursor: Cursor | None = None
    with services().store.reading() as session:
        while True:
            page = list_open_waits(
                session, Rules.of(services()), kinds=(WaitType.HUMAN,), cursor=cursor
            )
            found += page.waits
            cursor = page.older
            if cursor is None:
                return found


def _data(task: WaitView) -> dict[str, Json]:
    return {
        "id": task.wait_id,
        "runId": task.run_id,
        "workflow": {"key": task.workflow_key, "name": task.workflow_name},
        "path": task.path,
        "title": task.title,
        "taskType": task.task_type,
        "assignee": task.assignee,
        "createdAt": timestamp(task.since),
        "dueAt": None if task.due_at is None else timestamp(task.due_at),
        "timeoutAt": None if task.until is None else timestamp(task.until),
    }
