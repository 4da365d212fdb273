"""An event comes in: it is stored once, and brought to every run that it is for (rules.md 7)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contract import Json
from engine.services.context import Actor, Services


@dataclass(frozen=True, slots=True)
class EventTarget:
    run_id: str
    wait_id: str
    status: str
    """PENDING (Temporal does not answer: it is repeated), DELIVERED, OBSERVED or MISSED."""


@dataclass(frozen=True, slots=True)
class EventReceipt:
    event_id: str
    """As the sender gave it, or a new one."""
    already: bool
    """This id was submitted before: nothing was stored, and these are the targets of then."""
    targets: tuple[EventTarget, ...]
    """Waits that were open for it. A wait that opens later may find it too."""
    started_runs: tuple[str, ...]
    """Runs that it started, of workflows with a trigger of its name."""


def deliver_event(
    services: Services,
    name: str,
    key: str | None,
    payload: Json,
    *,
    event_id: str | None = None,
    actor: Actor,
) -> EventReceipt:
    """Store an event, tell the waits it is for, start the workflows it triggers.

    Raises `Invalid` (name, key, id, payload), `TooLarge`, `Conflict` (the id belongs to another
    event). Temporal being away is no error: what could not be told is repeated by the workers.
    """
    raise NotImplementedError
