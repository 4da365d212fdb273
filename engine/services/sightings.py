"""Since when each worker sees an execution that should not run, each by its own clock.

A worker whose clock is ahead would terminate at once what another has just canceled.
"""

from __future__ import annotations

from datetime import datetime

from engine.contract import Json

Sightings = dict[str, dict[str, datetime]]
"""By the execution's workflow id, and by worker."""


def from_json(kept: Json) -> Sightings:
    """Of the report of a pass; what an older release has left there says nothing."""
    if not isinstance(kept, dict):
        return {}
    return {
        name: {owner: datetime.fromisoformat(at) for owner, at in seen.items()}
        for name, seen in kept.items()
        if isinstance(seen, dict)
    }


def to_json(sightings: Sightings) -> Json:
    return {
        name: {owner: at.isoformat() for owner, at in seen.items()}
        for name, seen in sightings.items()
    }
