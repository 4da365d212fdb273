"""What an expression may cost: counts and sizes, never time (rules.md 10, design.md 6).

A limit by the clock would end a replayed history differently from the first time.
"""

from __future__ import annotations

from typing import Final

MAX_SOURCE_BYTES: Final = 8 * 1024
MAX_DEPTH: Final = 256
"""Nesting of the parsed tree, a chain of one operator included: it bounds recursion."""
MAX_EVALUATIONS: Final = 5_000
MAX_RANGE: Final = 1_000
MAX_RESULT_BYTES: Final = 256 * 1024
MAX_RESULT_DEPTH: Final = 64

ITEMS_PER_EVALUATION: Final = 50
"""An operation that goes over a list or object costs one evaluation more for every 50 items."""
CHARACTERS_PER_EVALUATION: Final = 4_096
"""The same for text, so that no single evaluation is an unbounded amount of work."""
