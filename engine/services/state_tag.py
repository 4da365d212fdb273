"""What tells whether a page has changed: the tag of a polled region (docs/rules.md 13)."""

from __future__ import annotations

import hashlib
from typing import Final

_DIGITS: Final = 24


def state_tag(*parts: object) -> str:
    """The same for the same state, in every process; `parts` must say all of it in their repr."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:_DIGITS]
