"""`flask quota`: how many step attempts a month may begin, and runs that wait for the next."""

from __future__ import annotations

from typing import Any, Final

import click

from engine.commands.arguments import as_json
from engine.commands.output import print_json, say
from engine.commands.session import ACTOR, CommandGroup, services
from engine.interpreter.failure import timestamp
from engine.services.release_quota import release_quota
from engine.services.step_quota import StepQuota, set_quota, show_quota

UNLIMITED: Final = "unlimited"

quota = CommandGroup("quota", help="The step quota of the installation.")


class LimitNumber(click.ParamType[int | None]):
    """A positive number, or `unlimited`: None."""

    name = "limit"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        if value == UNLIMITED:
            return None
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is no number, nor {UNLIMITED!r}", param, ctx)


@quota.command("show")
@as_json
def show(as_json: bool) -> None:
    """Show the limit, how much of it is used, and how many steps wait for more."""
    _print(show_quota(services()), as_json=as_json)


@quota.command("set")
@click.argument("limit", metavar="N", type=LimitNumber())
@as_json
def set_limit(limit: int | None, as_json: bool) -> None:
    """Let N step attempts begin in a calendar month (UTC), or `unlimited`."""
    _print(set_quota(services(), limit, ACTOR), as_json=as_json)


@quota.command("release")
@click.argument("run_id", metavar="RUN")
@as_json
def release(run_id: str, as_json: bool) -> None:
    """Have the paused run RUN ask for quota again; without any it pauses again."""
    receipt = release_quota(services(), run_id, ACTOR)
    say("Released: it asks for quota again.")
    if as_json:
        print_json({"runId": receipt.run_id, "released": list(receipt.released)})


def _print(found: StepQuota, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "limit": found.limit,
                "used": found.used,
                "periodStart": timestamp(found.period_start),
                "periodEnd": timestamp(found.period_end),
                "paused": found.paused,
            }
        )
        return
    limit = UNLIMITED if found.limit is None else found.limit
    click.echo(f"Limit    {limit}")
    click.echo(f"Used     {found.used}")
    click.echo(f"Period   {timestamp(found.period_start)} to {timestamp(found.period_end)}")
    click.echo(f"Waiting  {found.paused}")
