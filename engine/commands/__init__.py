"""The command line: one group a file, each command calls a service (architecture.md 5; cli.md).

Data goes to standard output, messages for people to standard error. Exit codes: 0 it did what it
says (with --wait: the run SUCCEEDED), 1 the run ended otherwise or the doctor found something, 2
wrong usage, 3 refused.
"""

from __future__ import annotations

from flask import Flask

from engine.commands.cut_over import cut_over
from engine.commands.definitions import definitions
from engine.commands.doctor import doctor
from engine.commands.events import events
from engine.commands.exports import check, export, signing_key
from engine.commands.operators import operators
from engine.commands.quota import quota
from engine.commands.runs import runs
from engine.commands.schemas import schemas
from engine.commands.secrets import secrets
from engine.commands.simulate import simulate
from engine.commands.tasks import tasks


def register_commands(app: Flask) -> None:
    """Called by the web's composition root; `app.extensions["run_studio"]` is its `Services`."""
    definitions.add_command(simulate)
    for command in (export, check, signing_key):
        runs.add_command(command)
    for group in (
        definitions,
        runs,
        events,
        tasks,
        quota,
        operators,
        secrets,
        schemas,
        cut_over,
    ):
        app.cli.add_command(group)
    app.cli.add_command(doctor)
