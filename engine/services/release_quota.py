"""Ending a quota pause: the workflow is told first, its rows follow (docs/rules.md 7)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.services.context import Actor, Services


@dataclass(frozen=True, slots=True)
class ReleaseReceipt:
    run_id: str
    released: tuple[str, ...]
    """Ids of the quota waits that were told. One pauses again when there is still no quota."""


def release_quota(services: Services, wait_or_run_id: str, actor: Actor) -> ReleaseReceipt:
    """Have a paused run ask for quota again.

    Raises `NotFound`, `Conflict` (it does not wait for quota), `Unavailable` (nothing was told).
    """
    raise NotImplementedError
