"""Names of `workflow.patched()` gates: every change of what a running history may replay.

A gate is added with the release that changes the order or number of commands, and removed when no
run that began before it can be open any more. Recorded histories of each release are replayed in
tests/unit/durable.
"""

from __future__ import annotations

from typing import Final

GATES: Final[dict[str, str]] = {}
"""Name: what it changed and since which release. None yet."""
