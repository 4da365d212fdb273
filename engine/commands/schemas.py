"""`flask schemas add`: what a document's `payloadSchemaRef` may name (authoring.md, Document)."""

from __future__ import annotations

import click

from engine.commands.arguments import TextFile
from engine.commands.output import say
from engine.commands.session import ACTOR, CommandGroup, services
from engine.runs import strict_json
from engine.services.payload_schemas import add_schema

schemas = CommandGroup("schemas", help="Payload schemas of the installation.")


@schemas.command("add")
@click.argument("ref")
@click.argument("file", type=TextFile())
def add(ref: str, file: bytes) -> None:
    """Add the JSON Schema in FILE under the name REF. It never changes afterwards."""
    if add_schema(services(), ref, strict_json.parse(file), ACTOR):
        say(f"Added {ref}.")
    else:
        say(f"{ref} is there already, the same: no change.")
