"""`flask secrets check`: are the secrets there that the published workflows name?"""

from __future__ import annotations

import click

from engine.commands.arguments import as_json
from engine.commands.output import print_json, print_table, say
from engine.commands.session import ENDED_OTHERWISE, CommandGroup, services
from engine.services.check_secrets import secret_uses

secrets = CommandGroup("secrets", help="Secrets: check whether they are there.")


@secrets.command("check")
@as_json
def check(as_json: bool) -> None:
    """List the secrets that published workflows name. Values are never shown.

    Code 1 when one is missing where this command runs; the workers need them.
    """
    uses = secret_uses(services())
    if as_json:
        print_json(
            [
                {"name": use.name, "found": use.is_known, "workflows": list(use.workflows)}
                for use in uses
            ]
        )
    else:
        print_table(
            ("SECRET", "STATE", "USED BY"),
            [(u.name, "found" if u.is_known else "MISSING", ", ".join(u.workflows)) for u in uses],
        )
    missing = [use.name for use in uses if not use.is_known]
    if missing:
        say(
            f"Missing: {', '.join(missing)}. Set SECRET_<NAME>, SECRET_<NAME>_FILE, or put a file "
            "into SECRETS_DIR."
        )
        raise click.exceptions.Exit(ENDED_OTHERWISE)
    say("Every secret is there." if uses else "No published workflow names a secret.")
