"""What the rows that the interpreter writes show of large values.

These rows travel in batches; a list that a loop lengthens would be written once an iteration. An
action's own row is written by the host's side and is not cut.
"""

from __future__ import annotations

from typing import Final

from engine.contract import Json
from engine.interpreter.account import Account

VALUE_BYTES: Final = 64 * 1024
"""Input and output of a step: as large as an action's are kept inline (docs/rules.md 4)."""
WRITE_BYTES: Final = 2 * 1024
"""One value that an assignment wrote."""


def shown(account: Account, value: Json, limit: int = VALUE_BYTES) -> Json:
    """`value`, or that it was left out and how large it is."""
    size = account.size(value)
    return value if size <= limit else {"$omitted": f"over {limit // 1024} KiB", "bytes": size}
