"""`flask events send`: an event for the runs that wait for it and the workflows it triggers."""

from __future__ import annotations

import click

from engine.commands.arguments import PayloadText, as_json
from engine.commands.output import print_json, say
from engine.commands.session import ACTOR, CommandGroup, services
from engine.runs import strict_json
from engine.services.deliver_event import EventReceipt, deliver_event
from engine.store.events import DeliveryStatus

events = CommandGroup("events", help="Events for runs that wait, and for event triggers.")


@events.command("send")
@click.argument("name")
@click.option("--key", metavar="KEY", help="The correlation key. Without one: only waits for any.")
@click.option("--payload", type=PayloadText(), metavar="JSON|@FILE", help="Default: {}.")
@click.option("--id", "event_id", metavar="ID", help="The same id again is the same event.")
@as_json
def send(
    name: str, key: str | None, payload: str | None, event_id: str | None, as_json: bool
) -> None:
    """Send the event NAME and print its id."""
    receipt = deliver_event(
        services(), name, key, strict_json.parse(payload or "{}"), event_id=event_id, actor=ACTOR
    )
    _say(receipt)
    if as_json:
        print_json(
            {
                "id": receipt.event_id,
                "already": receipt.already,
                "targets": [
                    {"runId": one.run_id, "waitId": one.wait_id, "status": one.status}
                    for one in receipt.targets
                ],
                "startedRuns": list(receipt.started_runs),
            }
        )
    else:
        click.echo(receipt.event_id)


def _say(receipt: EventReceipt) -> None:
    if receipt.already:
        say("This id has been sent before: nothing was stored.")
    say(f"{len(receipt.targets)} wait(s) told, {len(receipt.started_runs)} run(s) started.")
    if any(one.status == DeliveryStatus.PENDING for one in receipt.targets):
        say("Temporal does not answer: the workers tell the rest as soon as it does.")
