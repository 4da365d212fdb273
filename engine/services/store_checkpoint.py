"""Keep what the next execution of a run goes on from, where it is too large to be handed over."""

from __future__ import annotations

from engine.contract import CheckpointToStore, Json
from engine.errors import RunOver
from engine.services.context import Services
from engine.services.record_progress import apply_batch
from engine.services.values import keep
from engine.store.projection import glance


def store_checkpoint(services: Services, wanted: CheckpointToStore) -> dict[str, Json]:
    """The reference to it, {"$ref", "bytes"}. Raises `RunOver`."""
    now = services.now()
    with services.store.writing() as session:
        view = glance(session, wanted.batch, to_write=True)
        if view.over:
            raise RunOver("The run has ended.")
        apply_batch(session, wanted.batch, view, now, run_row=True)
        return keep(session, wanted.run_id, wanted.checkpoint, now)
