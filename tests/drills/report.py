"""What came of a drill: for reading, and as JSON."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass
class Struck:
    name: str
    at_s: float
    """From the beginning of the drill."""
    took_s: float
    recovered_s: float | None = None
    """From the fault's end until a run had ended that was accepted after it."""


@dataclass
class Report:
    seed: int
    runs: int
    plan: str = ""
    took_s: float = 0.0
    settled_s: float = 0.0
    """From the end of the last fault until all was said."""
    checked_s: float = 0.0
    struck: list[Struck] = field(default_factory=list)
    met: dict[str, int] = field(default_factory=dict)
    """How often a process was killed where its fault said."""
    died: int = 0
    """Processes that ended by themselves: most met their fault point."""
    unanswered: int = 0
    refused: int = 0
    events_sent: int = 0
    answers: int = 0
    cancels: int = 0
    bulk_canceled: int = 0
    bulk_replayed: int = 0
    mended: dict[str, int] = field(default_factory=dict)
    """By the reconciler, from the runs' logs."""
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By key: how many ended in which way, and how long they took."""
    violations: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(sum(each["ended"].values()) for each in self.documents.values())

    @property
    def worst_recovery_s(self) -> float:
        return max((one.recovered_s or 0 for one in self.struck), default=0.0)

    def count(self, key: str, status: str, took_s: float | None) -> None:
        each = self.documents.setdefault(key, {"ended": {}, "took_s": []})
        each["ended"][status] = each["ended"].get(status, 0) + 1
        if took_s is not None:
            each["took_s"].append(took_s)

    def note_recoveries(self, accepted: dict[str, float], ended: dict[str, float]) -> None:
        """`accepted`, `ended`: seconds from the beginning of the drill, by run."""
        for one in self.struck:
            over = one.at_s + one.took_s
            later = [ended[run] for run, at in accepted.items() if at >= over and run in ended]
            one.recovered_s = round(min(later) - over, 1) if later else None

    def as_json(self) -> str:
        return json.dumps(self._data(), indent=2)

    def _data(self) -> dict[str, Any]:
        data = asdict(self) | {"worst_recovery_s": self.worst_recovery_s, "total": self.total}
        data["documents"] = {key: _summed(each) for key, each in sorted(self.documents.items())}
        return data

    def text(self) -> str:
        verdict = "every promise held" if not self.violations else "BROKEN"
        at_their_point = sum(self.met.values())
        lines = [
            f"{self.total} runs, {len(self.struck)} faults, {self.took_s:.0f} s: {verdict}",
            f"seed {self.seed}; settled {self.settled_s:.0f} s after the last fault",
            f"compared with Temporal in {self.checked_s:.0f} s",
            f"{self.died} processes died, {at_their_point} of them at their fault point",
            f"{self.unanswered} presses of a button had no answer, {self.refused} were refused",
            f"{self.events_sent} events sent, {self.answers} tasks answered",
            f"{self.cancels} runs canceled by hand, {self.bulk_canceled} in bulk",
            f"{self.bulk_replayed} runs replayed in bulk",
            *(f"reconciler, {count} times: {said}" for said, count in self.mended.items()),
            "",
            f"{'document':<20} {'ended':<50} {'median':>8} {'longest':>8}",
            *(self._document(key) for key in sorted(self.documents)),
            "",
            f"{'fault':<44} {'struck':>6} {'met':>4} {'worst recovery':>14}",
            *self._faults(),
            "",
            f"worst recovery: {self.worst_recovery_s:.1f} s",
        ]
        return "\n".join([*lines, *(f"VIOLATION {each}" for each in self.violations)])

    def _document(self, key: str) -> str:
        each = _summed(self.documents[key])
        ended = ", ".join(f"{count} {status}" for status, count in each["ended"].items())
        return f"{key:<20} {ended:<50} {each['median_s']:>7.1f}s {each['longest_s']:>7.1f}s"

    def _faults(self) -> list[str]:
        worst: dict[str, float] = defaultdict(float)
        struck = Counter(one.name for one in self.struck)
        for one in self.struck:
            worst[one.name] = max(worst[one.name], one.recovered_s or 0)
        met = {name.rpartition(" at ")[2]: count for name, count in self.met.items()}
        return [
            f"{name:<44} {count:>6} {met.get(name.rpartition(' at ')[2], ''):>4} "
            f"{worst[name]:>13.1f}s"
            for name, count in sorted(struck.items())
        ]


def _summed(each: dict[str, Any]) -> dict[str, Any]:
    took = each["took_s"] or [0.0]
    return {
        "ended": dict(sorted(each["ended"].items())),
        "median_s": round(median(took), 1),
        "longest_s": round(max(took), 1),
    }
