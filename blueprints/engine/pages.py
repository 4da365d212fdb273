"""What the template of the engine's page receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.services.handshake import Known
from engine.services.last_pass import LastPass, Mendings
from engine.services.tally_runs import Tally
from engine.services.undelivered import Undelivered
from engine.services.workers_seen import SHOWN_OF_FINGERPRINT, SeenWorker

_MENDED: Final[Mapping[str, str]] = {
    "started": "started",
    "SUCCEEDED": "ended as SUCCEEDED",
    "FAILED": "ended as FAILED",
    "CANCELED": "ended as CANCELED",
    "cancel_requested": "cancels delivered",
    "cancel_closed": "canceled here",
    "surplus_canceled": "executions of ended runs canceled",
    "surplus_terminated": "executions of ended runs terminated",
}


@dataclass(frozen=True, slots=True)
class EnginePage:
    temporal_answers: bool
    tally: Tally
    last: LastPass | None
    mendings: Mendings
    undelivered: Undelivered
    workers: tuple[SeenWorker, ...]
    release: str
    """The web's."""
    known: Known | None
    """The actions that the web knows."""

    @property
    def registry(self) -> str | None:
        """The beginning of the fingerprint of the web's."""
        return self.known.fingerprint[:SHOWN_OF_FINGERPRINT] if self.known else None

    @property
    def living(self) -> tuple[SeenWorker, ...]:
        return tuple(worker for worker in self.workers if worker.lives)

    @property
    def mended(self) -> tuple[str, ...]:
        """What the last pass has mended, in words."""
        counts = self.last.mended if self.last else {}
        return tuple(f"{count:,} {_MENDED.get(what, what)}" for what, count in counts.items())


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that keeps runs from being executed or mended, and what to do about it."""

    message: str
    remedy: str
