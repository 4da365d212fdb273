"""One item of a bulk operation: tried as a person would, and what came of it in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from engine.errors import Conflict, NotFound, RunStudioError, TooMany, Unavailable
from engine.services.cancel_run import CancelOutcome, cancel_run
from engine.services.context import Actor, Services
from engine.services.replay_run import replay_run
from engine.store.bulk import BulkKind, ItemState
from engine.store.runs import LaunchToken, WorkflowRun


@dataclass(frozen=True, slots=True)
class Work:
    kind: BulkKind
    item_id: str
    run_id: str
    reason: str | None
    begun_before: datetime | None = None
    """When it was begun already, by a worker that did not come to its end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    state: ItemState
    code: str | None = None
    message: str | None = None
    """Nothing of a payload: it is shown as it is."""
    new_run_id: str | None = None


def perform(services: Services, work: Work, actor: Actor) -> Outcome:
    """Harmless to repeat. Raises `TooMany`: a limit is reached, and the item can wait."""
    if work.kind is BulkKind.CANCEL:
        return _cancel(services, work, actor)
    return _replay(services, work, actor)


def _cancel(services: Services, work: Work, actor: Actor) -> Outcome:
    if work.begun_before is not None and _requested_since(services, work):
        # The reconciler delivers what Temporal has not got yet.
        return Outcome(ItemState.DONE)
    try:
        receipt = cancel_run(services, work.run_id, actor, work.reason)
    except Unavailable as error:
        return Outcome(ItemState.DONE, error.code, error.message)
    except (Conflict, NotFound) as error:
        return Outcome(ItemState.SKIPPED, error.code, error.message)
    if receipt.outcome is CancelOutcome.CLOSED:
        return Outcome(ItemState.DONE, "CLOSED", "Temporal did not execute it (any more).")
    return Outcome(ItemState.DONE)


def _requested_since(services: Services, work: Work) -> bool:
    with services.store.reading() as session:
        run = session.get(WorkflowRun, work.run_id)
    asked = None if run is None else run.cancel_requested_at
    return asked is not None and work.begun_before is not None and asked >= work.begun_before


def _replay(services: Services, work: Work, actor: Actor) -> Outcome:
    if _payload_gone(services, work.run_id):
        return Outcome(ItemState.SKIPPED, "PAYLOAD_NOT_KEPT", "Its payload is no longer kept.")
    try:
        launched = replay_run(services, work.run_id, actor, work.reason, token=work.item_id)
    except TooMany:
        raise
    except Unavailable as error:
        run_id = error.details.get("run_id")
        new_run_id = str(run_id) if run_id else _run_of(services, work.item_id)
        return Outcome(ItemState.FAILED, error.code, error.message, new_run_id)
    except (Conflict, NotFound) as error:
        return Outcome(ItemState.SKIPPED, error.code, error.message)
    except RunStudioError as error:
        return Outcome(ItemState.FAILED, error.code, error.message)
    return Outcome(ItemState.DONE, new_run_id=launched.run_id)


def _payload_gone(services: Services, run_id: str) -> bool:
    run = WorkflowRun
    with services.store.reading() as session:
        found = session.scalar(
            select(run.run_id).where(run.run_id == run_id, run.input_json.is_(None), run.epoch > 0)
        )
    return found is not None


def _run_of(services: Services, token: str) -> str | None:
    with services.store.reading() as session:
        return session.scalar(select(LaunchToken.run_id).where(LaunchToken.token == token))
