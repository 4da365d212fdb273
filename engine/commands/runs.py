"""`flask runs`: start, show, cancel, replay and export runs."""

from __future__ import annotations

import click

from engine.commands.arguments import PayloadText, as_json
from engine.commands.follow_run import follow, print_outcome
from engine.commands.output import print_json, say
from engine.commands.session import ACTOR, CommandGroup, services
from engine.commands.show_run import print_run
from engine.runs.payload import Payload
from engine.services import cancel_run, replay_run
from engine.services.cancel_run import CancelOutcome
from engine.services.entered import run_id_of
from engine.services.inspect_run import open_run
from engine.services.launch_run import (
    Launched,
    LaunchRequest,
    launch_published_workflow_run,
)
from engine.services.redact_run import Rules
from engine.services.run_record import Budget, run_record
from engine.store.runs import WorkflowRun

runs = CommandGroup("runs", help="Runs: start, show, cancel, replay, export.")

_SHOWN = ("run", "steps", "waits", "children", "logs")
"""Of a run's record; an export has more (docs/cli.md)."""

_wait = click.option("--wait", is_flag=True, help="Wait for its end; code 0 only if it SUCCEEDED.")
_token = click.option(
    "--key", "token", metavar="TOKEN", help="The same token again gives the same run, not another."
)
_version = click.option("--version", type=click.IntRange(min=1), metavar="N")


@runs.command("start")
@click.argument("key")
@click.option("--payload", type=PayloadText(), metavar="JSON|@FILE", help="Default: {}.")
@_token
@_version
@_wait
@as_json
def start(
    key: str,
    payload: str | None,
    token: str | None,
    version: int | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Start a run of the workflow KEY and print its id."""
    launched = launch_published_workflow_run(
        services(),
        LaunchRequest(
            workflow_key=key,
            payload=Payload.parse(payload or "{}"),
            actor=ACTOR,
            version=version,
            token=token,
        ),
    )
    _launched(launched, wait=wait, as_json=as_json)


@runs.command("show")
@click.argument("run_id", metavar="ID")
@as_json
def show(run_id: str, as_json: bool) -> None:
    """Show a run with its steps, waits, children and logs, redacted."""
    found, budget = services(), Budget()
    with found.store.reading() as session:
        record = run_record(open_run(session, run_id_of(run_id), Rules.of(found)), budget)
    for cut in budget.cuts:
        say(f"Only {cut.kept:,} of {cut.of:,} {cut.part.strip('/')} are shown.")
    if as_json:
        print_json({name: record[name] for name in _SHOWN})
    else:
        print_run(record)


@runs.command("cancel")
@click.argument("run_id", metavar="ID")
@click.option("--reason", metavar="TEXT")
@click.option(
    "--force",
    is_flag=True,
    help="Stop it at once, without clean-up: 30 s after a cancel that nothing came of, or when no "
    "worker lives.",
)
@as_json
def cancel(run_id: str, reason: str | None, force: bool, as_json: bool) -> None:
    """Cancel a run. Without --force it ends when its worker has cleaned up."""
    receipt = cancel_run.cancel_run(services(), run_id, ACTOR, reason, force=force)
    say(
        {
            CancelOutcome.REQUESTED: "Cancel is requested: the run ends when it has cleaned up.",
            CancelOutcome.CLOSED: "Nothing executed it any more: its row is closed.",
            CancelOutcome.STOPPED: "Stopped without clean-up.",
        }[receipt.outcome]
    )
    if as_json:
        print_json({"id": receipt.run_id, "outcome": receipt.outcome.value})


@runs.command("replay")
@click.argument("run_id", metavar="ID")
@click.option("--reason", metavar="TEXT")
@click.option(
    "--payload",
    type=PayloadText(),
    metavar="JSON|@FILE",
    help="The payload as `runs show` gives it, edited: a mask that is left stands for the original "
    "value. Without it the original payload is used.",
)
@_token
@_version
@_wait
@as_json
def replay(
    run_id: str,
    reason: str | None,
    payload: str | None,
    token: str | None,
    version: int | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Start a new run with the payload of run ID, and print the new run's id."""
    launched = replay_run.replay_run(
        services(),
        run_id,
        ACTOR,
        reason,
        payload_text=payload,
        shown=None if payload is None else _shown_hash(run_id),
        version=version,
        token=token,
    )
    _launched(launched, wait=wait, as_json=as_json)


def _launched(launched: Launched, *, wait: bool, as_json: bool) -> None:
    if launched.already:
        say("This token has been used: no other run was started.")
    if not as_json:
        click.echo(launched.run_id)
    if wait:
        follow(services(), launched.run_id)
    print_outcome(services(), launched, as_json=as_json, waited=wait)


def _shown_hash(run_id: str) -> str | None:
    """Who edits here has the payload from `runs show`, a moment ago."""
    found = services()
    with found.store.reading() as session:
        run = session.get(WorkflowRun, run_id_of(run_id))
        return None if run is None else replay_run.shown_payload(found, session, run).shown_hash
