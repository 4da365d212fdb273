"""Waiting for a run's end, and what is then said of it (`--wait`)."""

from __future__ import annotations

import time
from typing import Final

import click

from engine.commands.output import print_json, say
from engine.commands.session import ENDED_OTHERWISE
from engine.runs.status import TERMINAL, RunStatus
from engine.services.context import Services
from engine.services.explain_queued import Explainer
from engine.services.glance_run import Glance, glance_at_run
from engine.services.inspect_run import open_run, view_run
from engine.services.launch_run import Launched
from engine.services.redact_run import Rules
from engine.services.run_record import error_record
from engine.services.watch_queue import QueueWatch

_FIRST_LOOK_S: Final = 0.05
_LONGEST_LOOK_S: Final = 1.0


def follow(services: Services, run_id: str) -> None:
    """Returns when the run has ended. Ctrl-C ends the waiting, not the run."""
    pause, said = _FIRST_LOOK_S, False
    try:
        while not (glance := _glance(services, run_id)).is_over:
            if glance.queued and not said:
                said = True
                why = Explainer(QueueWatch()).explain(services, glance)
                named = f": {why.verdict}" if why else ""
                say(f"Still queued after a minute{named}. `flask doctor` says what to do.")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK_S)
    except KeyboardInterrupt:
        say(f"Not waiting any more. The run goes on: `flask runs show {run_id}`.")
        raise


def print_outcome(services: Services, launched: Launched, *, as_json: bool, waited: bool) -> None:
    """How the run stands. After waiting: code 1 unless it SUCCEEDED."""
    run_id = launched.run_id
    status = _glance(services, run_id).status
    error = _error(services, run_id) if status in TERMINAL else None
    if as_json:
        print_json(
            {
                "id": run_id,
                "status": status.value,
                "already": launched.already,
                "error": error,
            }
        )
    if not waited:
        return
    say(f"{status}: {error['message']}" if error else status)
    if status is not RunStatus.SUCCEEDED:
        raise click.exceptions.Exit(ENDED_OTHERWISE)


def _glance(services: Services, run_id: str) -> Glance:
    with services.store.reading() as session:
        return glance_at_run(session, run_id, services.now())


def _error(services: Services, run_id: str) -> dict[str, object] | None:
    with services.store.reading() as session:
        opened = open_run(session, run_id, Rules.of(services))
        opened.learn()
        return error_record(view_run(opened).error)
