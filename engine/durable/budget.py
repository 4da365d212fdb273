"""What a workflow task may use up before the host makes a boundary (docs/rules.md 3 and 10).

Counts only what is the same when history is replayed: what activities answered, and evaluations.
A workflow cannot read a clock between two local activities, and need not: they say when they were
asked for and when they answered. From the first to the last, that is the task's own time, with the
waits for a free slot and the workflow's own work in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TIME_MS: Final = 2_000
RESULT_BYTES: Final = 512 * 1024
EVALUATIONS: Final = 6_000
"""A third of what docs/rules.md 10 allows: a busy machine must stay below 1 s a task too."""


@dataclass(slots=True)
class Budget:
    time_ms: int = 0
    result_bytes: int = 0
    evaluations: int = 0
    asked: bool = False
    """An activity asked for a boundary: a cancel is wanted, or the worker is leaving."""
    open_calls: int = 0
    """Local activities that have not answered yet: the task goes on until they have."""
    _since: int | None = None
    """When the task's first local activity was asked for, in ms of the worker's clock."""

    @property
    def is_used_up(self) -> bool:
        return (
            self.asked
            or self.time_ms >= TIME_MS
            or self.result_bytes >= RESULT_BYTES
            or self.evaluations >= EVALUATIONS
        )

    def took(self, timing: list[int] | None) -> None:
        """A local activity's `contract.TIMING_KEY`; None: of a history from before it."""
        if timing is None:
            return
        asked_at, answered_at = timing
        self._since = asked_at if self._since is None else min(self._since, asked_at)
        self.time_ms = max(self.time_ms, answered_at - self._since)

    def answered(self, *, took_ms: int = 0, result_bytes: int = 0, asked: bool = False) -> None:
        self.time_ms += took_ms
        self.result_bytes += result_bytes
        self.asked = self.asked or asked

    def renew(self) -> None:
        """The workflow task was completed."""
        self.time_ms = self.result_bytes = self.evaluations = 0
        self.asked = False
        self._since = None
