"""What a workflow task may use up before the host makes a boundary (docs/rules.md 3 and 10).

Counts only what is the same when history is replayed: what activities answered, and evaluations.
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

    @property
    def is_used_up(self) -> bool:
        return (
            self.asked
            or self.time_ms >= TIME_MS
            or self.result_bytes >= RESULT_BYTES
            or self.evaluations >= EVALUATIONS
        )

    def answered(self, *, took_ms: int = 0, result_bytes: int = 0, asked: bool = False) -> None:
        self.time_ms += took_ms
        self.result_bytes += result_bytes
        self.asked = self.asked or asked

    def renew(self) -> None:
        """The workflow task was completed."""
        self.time_ms = self.result_bytes = self.evaluations = 0
        self.asked = False
