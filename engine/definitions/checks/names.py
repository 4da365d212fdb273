"""itemVar and captureErrorAs are identifiers, and hide no scope (docs/authoring.md)."""

from __future__ import annotations

import re
from typing import Final

from engine.definitions.checks.checked import Checked
from engine.definitions.checks.expressions import SCOPES
from engine.definitions.walk import LOOP_NAMES
from engine.expressions.paths import FORBIDDEN

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS: Final = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_RESERVED: Final = SCOPES | _KEYWORDS | FORBIDDEN | (LOOP_NAMES - {"item"})


def check_names(checked: Checked) -> None:
    for step in checked.steps:
        for field in ("itemVar", "captureErrorAs"):
            name = step.text(field)
            if not name:
                continue  # missing: the shape of the document says so
            if not _IDENTIFIER.fullmatch(name):
                message = f"{field}: {name!r} is not a name (letters, digits and _)."
                checked.error(step, "INVALID_NAME", message)
            elif name in _RESERVED:
                message = f"{field}: {name} has another meaning already."
                checked.error(step, "INVALID_NAME", message, "Choose another name.")
