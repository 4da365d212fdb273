"""`flask definitions simulate`: what a document would do, without doing it."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from engine.commands.arguments import PayloadText, TextFile, as_json
from engine.commands.definitions import say_findings
from engine.commands.output import print_json, print_table, say
from engine.commands.session import ACTOR, ENDED_OTHERWISE, REFUSED, services
from engine.runs.payload import Payload
from engine.services.publish_definition import DocumentRefused, parse_document
from engine.services.simulate_definition import (
    Simulated,
    SimulationRequest,
    simulate_definition,
)
from engine.simulator.simulate import SimulationStatus


@click.command("simulate")
@click.argument("file", type=TextFile())
@click.option("--payload", type=PayloadText(), help="JSON, or @FILE; else a sample of the schema.")
@click.option("--stubs", type=PayloadText(), default="{}", help="JSON, or @FILE: answers by name.")
@as_json
@with_appcontext
def simulate(file: bytes, payload: str | None, stubs: str, as_json: bool) -> None:
    """Dry-run the document in FILE: nothing is called, sent or written."""
    answers = json.loads(stubs)
    if not isinstance(answers, dict):
        raise click.UsageError("--stubs is an object: {name: answer}.")
    try:
        simulated = simulate_definition(
            services(),
            SimulationRequest(
                document=parse_document(file),
                payload=None if payload is None else Payload.parse(payload),
                stubs=answers,
            ),
            ACTOR,
        )
    except DocumentRefused as refused:
        if as_json:
            findings = [finding.as_data() for finding in refused.findings]
            print_json({"status": None, "findings": findings})
        say_findings(refused.findings)
        raise click.exceptions.Exit(REFUSED) from None
    _show(simulated, as_json=as_json)
    if simulated.simulation.status is not SimulationStatus.COMPLETED:
        raise click.exceptions.Exit(ENDED_OTHERWISE)


def _show(simulated: Simulated, *, as_json: bool) -> None:
    done = simulated.simulation
    if as_json:
        print_json(simulated.as_data())
    else:
        rows = [_row(entry.as_data()) for entry in done.trace]
        print_table(("STEP", "KIND", "ATTEMPT", "STATUS", "OUTCOME"), rows)
    for name in simulated.unused_stubs:
        say(f"No step asks for the stub {name}.")
    why = f": {done.error['message']}" if done.error else ""
    say(f"The simulation is {done.status}{why}")


def _row(entry: dict[str, object]) -> tuple[object, ...]:
    indexes = entry["iter"] or ""
    return (
        f"{entry['id']}{indexes}",
        *(entry[n] for n in ("kind", "attempt", "status", "outcome")),
    )
