"""What an expression may cost: counts and sizes, never time (rules.md 10, architecture.md 6).

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

ITEMS_PER_EVALUATION: Final = 10
"""Operations that go over lists or objects cost one evaluation more for every 10 items ..."""
CHARACTERS_PER_EVALUATION: Final = 4_096
"""... and over text for every 4,096 characters: no evaluation is an unbounded amount of work."""
