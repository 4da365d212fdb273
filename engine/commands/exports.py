"""`flask runs export`, `verify` and `signing-key`: a run as a file that can be held to account."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from engine.commands.arguments import TextFile
from engine.commands.output import print_json
from engine.commands.session import ACTOR, ENDED_OTHERWISE, services
from engine.errors import Unavailable
from engine.runs.export_manifest import file_text
from engine.runs.export_signature import Signer
from engine.runs.verify_export import Verified, said, verify
from engine.services.entered import run_id_of
from engine.services.export_run import export_run


@click.command("export")
@with_appcontext
@click.argument("run_id", metavar="ID")
@click.option(
    "--history", is_flag=True, help="With the histories from Temporal, encrypted, and audited."
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Not printed."
)
def export(run_id: str, history: bool, output: Path | None) -> None:
    """Print a run and the runs that it called as one signed JSON document, redacted."""
    run_id = run_id_of(run_id)
    document = export_run(services(), run_id, ACTOR, _signer(), histories=history)
    if output is None:
        print_json(document)
        return
    try:
        output.write_text(file_text(document), "utf-8")
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from None


@click.command("verify")
@with_appcontext
@click.argument("file", type=TextFile(), metavar="FILE")
@click.option("--key", metavar="PUBLIC_KEY", help="It must have been signed with this key.")
@click.option(
    "--replay-history",
    is_flag=True,
    help="Also: does this release still do what the histories in it say?",
)
def check(file: bytes, key: str | None, replay_history: bool) -> None:
    """Say whether an exported FILE is as it was exported; code 1 when it is not."""
    verified = verify(file, key)
    for line in said(verified):
        click.echo(line)
    holds = verified.holds
    if holds and verified.public_key == _signer().public_key:
        click.echo("         which is the key of this installation")
    elif holds and key is None:
        click.echo("         which is not the key of this installation: who signed it is not known")
    if holds and replay_history:
        holds = _rehearsed(verified)
    if not holds:
        raise click.exceptions.Exit(ENDED_OTHERWISE)


@click.command("signing-key")
@with_appcontext
def signing_key() -> None:
    """Print the public key with which this installation signs what it exports."""
    click.echo(_signer().public_key)


def _rehearsed(verified: Verified) -> bool:
    gateway = services().histories
    if gateway is None:
        raise Unavailable("This process has no key of histories.")
    done = gateway.rehearse(verified.histories)
    for each in done:
        outcome = f"not as this release would: {each.failure}" if each.failure else "as recorded"
        click.echo(f"history  {each.workflow_id} {each.execution_id} {outcome}")
    if not done:
        click.echo("history  there is none in this file")
    return bool(done) and not any(each.failure for each in done)


def _signer() -> Signer:
    return Signer(current_app.config["SECRET_KEY"])
