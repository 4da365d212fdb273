"""Which columns the list of runs shows: part of its address, and so of a saved view.

Status and run are always there. `columns=run` alone means these two and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "workflow": "Workflow",
    "version": "Version",
    "trigger": "Trigger",
    "started": "Started",
    "ended": "Ended",
    "duration": "Duration",
    "by": "By",
    "replay": "Replay of",
    "parent": "Called by",
}
"""In the order in which they are shown."""

USUAL: Final = ("workflow", "started", "duration", "by")
ALWAYS: Final = "run"


def named(given: Sequence[str]) -> list[str]:
    """What an address names: several values, each of which may be several with commas."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Those that there are of them; of none named the usual ones."""
    return tuple(name for name in TITLES if name in names) if names else USUAL


def unknown(names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in TITLES and name != ALWAYS]


def as_text(columns: Sequence[str]) -> str | None:
    """As the address has it; None: they need not be named."""
    return None if tuple(columns) == USUAL else ",".join(columns or [ALWAYS])
