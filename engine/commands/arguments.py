"""What commands take: files, payloads, passwords."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from engine.errors import Invalid
from engine.runs import strict_json


class TextFile(click.ParamType[bytes]):
    """A file's bytes; `-` is standard input."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        if isinstance(value, bytes):
            return value
        if value == "-":
            return sys.stdin.buffer.read()
        try:
            return Path(value).read_bytes()
        except OSError as error:
            self.fail(f"{value!r} cannot be read: {error.strerror or error}", param, ctx)


class PayloadText(click.ParamType[str]):
    """JSON, or @FILE that holds some; @- is standard input. Gives the text, checked."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = value
        if value.startswith("@"):
            data = TextFile().convert(value[1:], param, ctx)
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                self.fail(f"{value[1:]!r} is not UTF-8", param, ctx)
        try:
            strict_json.parse(text)
        except Invalid as error:
            faults = "; ".join(f"{each.pointer} {each.message}".strip() for each in error.problems)
            self.fail(f"{error.message} {faults}", param, ctx)
        return str(text)


def read_password(subject: str) -> str:
    """Asked for twice at a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        return str(
            click.prompt(
                f"Password of {subject}", hide_input=True, confirmation_prompt=True, err=True
            )
        )
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("There is no password on standard input.")
    return password


as_json = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")
