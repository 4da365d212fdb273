"""The installation's step quota: how many attempts a calendar month may begin (authoring.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.services.context import Actor, Services


@dataclass(frozen=True, slots=True)
class StepQuota:
    period_start: datetime
    period_end: datetime
    used: int
    limit: int | None
    """None: unlimited."""
    paused: int
    """Runs that wait for quota now."""


def show_quota(services: Services) -> StepQuota:
    """The current period."""
    raise NotImplementedError


def set_quota(services: Services, limit: int | None, actor: Actor) -> StepQuota:
    """Set the limit, of this period and those that follow; None: unlimited. Raises `Invalid`."""
    raise NotImplementedError
