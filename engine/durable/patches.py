"""Names of `workflow.patched()` gates: every change of what a running history may replay.

A gate is added with the release that changes the order or number of commands, and removed when no
run that began before it can be open any more. Recorded histories of each release are replayed in
tests/unit/durable.
"""

from __future__ import annotations

from typing import Final

ROWS_OF_ENDED_BRANCHES: Final = "rows-of-ended-branches"
ANSWERS_ARE_DURABLE: Final = "answers-are-durable"
ACCEPTED_CHILDREN_BEGIN: Final = "accepted-children-begin"

GATES: Final[dict[str, str]] = {
    ROWS_OF_ENDED_BRANCHES: "0.3: a branch that ends has its rows written though others execute",
    ANSWERS_ARE_DURABLE: "0.4: a boundary after a task's answer, before anything is written of it",
    ACCEPTED_CHILDREN_BEGIN: "0.4: a child is started though a cancel came while it was accepted",
}
"""Name: since which release, and what it changed."""
