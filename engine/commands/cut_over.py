"""`flask cut-over`: what the migration to Temporal would do to this database, before it does it.

It works on a database that no revision was stamped on yet, since that is when it is asked.
"""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from engine.commands.arguments import as_json
from engine.commands.output import print_json, say
from engine.commands.session import REFUSED, CommandGroup, services
from engine.services.forecast_cut_over import Forecast, forecast_cut_over

cut_over = CommandGroup("cut-over", help="The migration that leaves Temporal as the only engine.")


@cut_over.command("forecast")
@as_json
@with_appcontext
def forecast(as_json: bool) -> None:
    """List what `flask db upgrade` would do; change nothing. Code 3: it would refuse."""
    found = forecast_cut_over(services())
    if as_json:
        print_json(_as_data(found))
    else:
        _print_runs(found)
    if found.refusals:
        say("The cut-over would refuse, and change nothing, until these are mended by hand:")
        for refusal in found.refusals:
            say(f"  {refusal}")
        raise click.exceptions.Exit(REFUSED)


def _as_data(found: Forecast) -> dict[str, object]:
    return {
        "canRun": not found.refusals,
        "refusals": found.refusals,
        "runs": found.runs,
        "runIds": found.run_ids,
        "closed": found.closed,
    }


def _print_runs(found: Forecast) -> None:
    if not found.runs:
        click.echo("Nothing is stranded: the cut-over would cancel no run.")
        return
    click.echo(f"The cut-over would cancel {found.runs} run(s) that no engine executes:")
    for run_id in found.run_ids:
        click.echo(f"  {run_id}")
    if found.runs > len(found.run_ids):
        click.echo(f"  … and {found.runs - len(found.run_ids)} more")
    click.echo("and close what is open under them:")
    for table, rows in found.closed.items():
        click.echo(f"  {rows} of {table}")
