"""Where words go: data to standard output, everything for people to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import click

from engine.contract import Json


def say(message: str) -> None:
    click.echo(message, err=True)


def print_json(value: Json) -> None:
    """Indented; other characters than ASCII only where the terminal's encoding has them all."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    click.echo(json.dumps(value, indent=2, ensure_ascii=plain))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as what is in them; nothing at all without a row."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        return
    lines = [list(headings), *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value).replace("\n", " ")
