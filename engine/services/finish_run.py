"""The final projection: the run's row, and everything that hangs on it, says how it ended.

Once the workflow has scheduled it the outcome is decided (rules.md 4). It may be made again and
again: a row that is terminal already stays as it is, and its status is the answer.
"""

from __future__ import annotations

from typing import Final

from engine.contract import Finish, Finished
from engine.runs.status import LogLevel, RunStatus
from engine.services.context import Services
from engine.services.end_run import close_run
from engine.services.record_progress import apply_batch
from engine.services.run_log import note
from engine.services.values import storable
from engine.store import projection
from engine.store.logs import LogSource

TOO_LATE: Final = "The cancel came too late: the run was ending already."


def finish_run(services: Services, finish: Finish) -> Finished:
    """The status that the row has now; the asked one where there is no row to say otherwise."""
    now = services.now()
    with services.store.writing() as session:
        view = projection.glance(session, finish.batch, to_write=True)
        if view.over:
            return Finished(view.status or finish.status)
        apply_batch(session, finish.batch, view, now)
        error = storable(finish.error)[0]
        close_run(session, finish.run_id, RunStatus(finish.status), error, now, LogSource.RUNTIME)
        if view.cancel_requested and finish.status != RunStatus.CANCELED:
            note(session, finish.run_id, LogLevel.INFO, TOO_LATE, now=now, source=LogSource.RUNTIME)
    return Finished(finish.status)
