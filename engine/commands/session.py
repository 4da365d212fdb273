"""What every command has in common: its services, who it acts as, and how it ends."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from flask import current_app
from flask.cli import AppGroup, FlaskGroup, ScriptInfo
from sqlalchemy.exc import SQLAlchemyError

from engine.commands.output import say
from engine.errors import Invalid, RunStudioError
from engine.services.check_schema import check_schema
from engine.services.context import Actor, Services

ACTOR: Final = Actor(source="command")

ENDED_OTHERWISE: Final = 1
REFUSED: Final = 3


def services() -> Services:
    found: Services = current_app.extensions["run_studio"]
    return found


class CommandGroup(AppGroup):
    """A group whose commands end with the exit codes of docs/cli.md."""

    def invoke(self, ctx: click.Context) -> Any:
        with ending(ctx):
            return super().invoke(ctx)


class SingleCommand(click.Command):
    """A command outside a group that ends in the same way."""

    def invoke(self, ctx: click.Context) -> Any:
        with ending(ctx):
            return super().invoke(ctx)


@contextmanager
def ending(ctx: click.Context) -> Iterator[None]:
    """Refusals become a message and code 3; then the process is left."""
    code = 0
    # It says which database it looks at, each time that the schema's revision is read.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        yield
    except RunStudioError as error:
        _say_refusal(error)
        code = REFUSED
    except SQLAlchemyError as error:
        _say_database(ctx, error)
        code = REFUSED
    except click.exceptions.Exit as left:
        code = left.exit_code
    _leave(ctx, code)


def _say_refusal(error: RunStudioError) -> None:
    say(error.message)
    if isinstance(error, Invalid):
        for problem in error.problems:
            say(f"  {problem.pointer or '(the whole)'}: {problem.message}")
    run_id = error.details.get("run_id")
    if run_id:
        say(f"  Run {run_id}")


def _say_database(ctx: click.Context, error: SQLAlchemyError) -> None:
    """A database that is away or of another schema has a message of its own."""
    try:
        app = ctx.ensure_object(ScriptInfo).load_app()
        with app.app_context():
            check_schema(services().store)
    except RunStudioError as refusal:
        say(refusal.message)
    except SQLAlchemyError:
        say(f"The database cannot be used: {type(error).__name__}.")
    else:
        say(f"The database refused: {getattr(error, 'orig', None) or type(error).__name__}")


def _leave(ctx: click.Context, code: int) -> None:
    """A process that used temporalio may abort in the interpreter's own exit (docs/measured.md 4).

    So the real command line leaves without it; a command that a test invokes returns.
    """
    if isinstance(ctx.find_root().command, FlaskGroup):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    if code:
        raise click.exceptions.Exit(code)
