"""What a simulated run did: one entry an occurrence and attempt, in the order in which they began.

A status is that of a run's row; `outcome` says what stood behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.contract import Json
from engine.interpreter.failure import timestamp
from engine.interpreter.host import StepEnd, StepPlace
from engine.runs.status import StepStatus


class StepOutcome(StrEnum):
    EXECUTED = "executed"
    """By the interpreter itself: control, assignments, transforms."""
    STUBBED = "stubbed"
    """By a stub, or by a sample of the output's schema."""
    ERROR = "error"
    WOULD_WAIT = "would-wait"
    """Nothing answers it: give it a stub."""


@dataclass(slots=True)
class Entry:
    place: StepPlace
    status: StepStatus
    started_at: datetime
    outcome: StepOutcome = StepOutcome.EXECUTED
    completed_at: datetime | None = None
    input: Json = None
    output: Json = None
    error: dict[str, Json] | None = None
    handled: bool = False

    def as_data(self) -> dict[str, Json]:
        place = self.place
        return {
            "id": place.step_id,
            "path": place.path,
            "iter": list(place.iter),
            "kind": place.kind,
            "attempt": place.attempt,
            "status": self.status.value,
            "outcome": self.outcome.value,
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "handled": self.handled,
            "startedAt": timestamp(self.started_at),
            "completedAt": None if self.completed_at is None else timestamp(self.completed_at),
        }


@dataclass(slots=True)
class Trace:
    _entries: dict[int, Entry] = field(default_factory=dict)
    closed: bool = False
    """What is cancelled because the simulation ends has not been cancelled in the document."""

    def open(self, place: StepPlace, at: datetime, input: Json = None) -> Entry:
        entry = self._entries.get(place.position)
        if entry is None:
            entry = self._entries[place.position] = Entry(place, StepStatus.STARTED, at)
        entry.input = input if input is not None else entry.input
        return entry

    def end(self, end: StepEnd) -> None:
        """As the interpreter records it; what a stub was asked is known already."""
        if self.closed:
            return
        entry = self.open(end.place, end.started_at, end.input)
        entry.status = StepStatus(end.status)
        entry.completed_at, entry.output = end.completed_at, end.output
        entry.error, entry.handled = end.error, end.handled
        if end.error is not None and entry.status is not StepStatus.CANCELED:
            entry.outcome = StepOutcome.ERROR

    def entries(self) -> list[Entry]:
        return [entry for _, entry in sorted(self._entries.items())]
