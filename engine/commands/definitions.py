"""`flask definitions`: publish, check and list workflows."""

from __future__ import annotations

from collections.abc import Iterable

import click

from engine.commands.arguments import TextFile, as_json
from engine.commands.output import print_json, print_table, say
from engine.commands.session import ACTOR, REFUSED, CommandGroup, services
from engine.definitions.check import Finding
from engine.runs import strict_json
from engine.services import publish_definition
from engine.services.find_definitions import DefinitionRow, list_definitions
from engine.services.pause_definition import pause_definition, unpause_definition
from engine.services.publish_definition import DocumentRefused

definitions = CommandGroup("definitions", help="Workflows: publish, check, list, pause, simulate.")


@definitions.command("publish")
@click.argument("file", type=TextFile())
@as_json
def publish(file: bytes, as_json: bool) -> None:
    """Publish the document in FILE (`-`: standard input) as the next version."""
    try:
        published = publish_definition.publish_text(services(), file, ACTOR)
    except DocumentRefused as refused:
        say_findings(refused.findings)
        if as_json:
            print_json({"published": False, "findings": _as_data(refused.findings)})
        say(refused.message)
        raise click.exceptions.Exit(REFUSED) from None
    say_findings(published.findings)
    if published.already:
        say(f"{published.key} is published as version {published.version} already: no change.")
    else:
        say(f"Published {published.key} version {published.version}.")
    if as_json:
        print_json(
            {
                "published": True,
                "key": published.key,
                "version": published.version,
                "already": published.already,
                "findings": _as_data(published.findings),
            }
        )
    else:
        click.echo(f"{published.key} {published.version}")


@definitions.command("check")
@click.argument("file", type=TextFile())
@as_json
def check(file: bytes, as_json: bool) -> None:
    """Say what publishing the document in FILE would find. Writes nothing."""
    findings = publish_definition.check(services(), strict_json.parse(file))
    refused = any(finding.severity == "error" for finding in findings)
    if as_json:
        print_json({"ok": not refused, "findings": _as_data(findings)})
    say_findings(findings)
    say("It would be refused." if refused else "It can be published.")
    if refused:
        raise click.exceptions.Exit(REFUSED)


@definitions.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the workflows and their newest versions."""
    with services().store.reading() as session:
        found = list_definitions(session)
    if as_json:
        print_json([_row(row) for row in found])
        return
    print_table(
        ("KEY", "VERSION", "STATE", "OPEN RUNS", "NAME"),
        [(row.key, row.version, _state(row), row.open_runs, row.name) for row in found],
    )
    if not found:
        say("No workflow is published yet: `flask definitions publish FILE`.")


@definitions.command("pause")
@click.argument("key")
@click.option("--reason", metavar="TEXT", help="Said to whoever wants to start a run.")
def pause(key: str, reason: str | None) -> None:
    """Accept no new run of the workflow KEY; those that are open go on."""
    changed = pause_definition(services(), key, ACTOR, reason)
    say(f"{key} is paused{': new runs are refused' if changed else ' already'}.")


@definitions.command("unpause")
@click.argument("key")
@click.option("--reason", metavar="TEXT")
def unpause(key: str, reason: str | None) -> None:
    """Accept runs of the workflow KEY again."""
    changed = unpause_definition(services(), key, ACTOR, reason)
    say(f"{key} is {'not paused any more' if changed else 'not paused'}.")


def _row(row: DefinitionRow) -> dict[str, object]:
    return {
        "key": row.key,
        "name": row.name,
        "description": row.description,
        "version": row.version,
        "state": _state(row),
        "publishedAt": row.published_at.isoformat() if row.published_at else None,
        "concurrencyLimit": row.concurrency_limit,
        "openRuns": row.open_runs,
        "nextFireAt": row.next_fire_at.isoformat() if row.next_fire_at else None,
    }


def _state(row: DefinitionRow) -> str:
    if not row.is_published:
        return "draft"
    return "paused" if row.is_paused else "published"


def say_findings(findings: Iterable[Finding]) -> None:
    for finding in findings:
        say(f"{finding.severity}: {finding.step_path}: {finding.code}: {finding.message}")
        if finding.suggestion:
            say(f"  {finding.suggestion}")


def _as_data(findings: Iterable[Finding]) -> list[object]:
    return [finding.as_data() for finding in findings]
