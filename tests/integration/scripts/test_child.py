"""What a process of the product has said before it ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scripts.product.child import FIRST_LINES, LAST_LINES, Child


def test_why_it_ended_is_kept_however_much_it_says_after(tmp_path: Path) -> None:
    """A server of Go's says why it gives up first, and then a hundred lines of where it was."""
    program = "print('the port is taken')\nfor line in range(200): print(line)"
    child = Child("temporal", [sys.executable, "-c", program], os.environ, tmp_path)
    while child.ended() is None:
        pass
    child.drain()

    assert child.said[0] == "the port is taken"
    assert child.said[-1] == "199"
    assert len(child.said) == FIRST_LINES + LAST_LINES
