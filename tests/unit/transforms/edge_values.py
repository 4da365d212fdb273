"""Values at the edges: signs of several code points, deep and huge values."""

from __future__ import annotations

from typing import Any

ASTRAL = "🙂𝄞"
COMBINING = "e\u0301a\u0308"
FAMILY = "👩\u200d👩\u200d👧"
MIXED = f"Straße {ASTRAL} {COMBINING} İI"
HUGE = "ab " * 170_000
DEEP: Any = 1
for _ in range(62):
    DEEP = [DEEP]
