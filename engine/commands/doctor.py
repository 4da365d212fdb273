"""`flask doctor`: what stands in the way of runs, and what to do about it."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from engine.commands.arguments import as_json
from engine.commands.output import print_json
from engine.commands.session import ENDED_OTHERWISE, SingleCommand, services
from engine.services.diagnose import diagnose


@click.command("doctor", cls=SingleCommand)
@as_json
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look whether runs can be executed; code 1 when something is wrong."""
    checks = diagnose(services())
    if as_json:
        print_json(
            [{"name": c.name, "ok": c.ok, "message": c.message, "remedy": c.remedy} for c in checks]
        )
    else:
        for check in checks:
            click.echo(f"{'ok     ' if check.ok else 'PROBLEM'}  {check.name}: {check.message}")
            if check.remedy:
                click.echo(f"         {check.remedy}")
    if not all(check.ok for check in checks):
        raise click.exceptions.Exit(ENDED_OTHERWISE)
