"""What somebody typed, before it meets a database: ids and free text.

PostgreSQL answers text that is no UUID, or that holds U+0000, with an error of its own; here it is
simply not found, or a problem beside the field.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from engine.errors import Invalid, NotFound, Problem
from engine.runs import strict_json

LONGEST_TEXT: Final = 2000
"""Characters of a reason."""


def run_id_of(text: str) -> str:
    """The id in the form in which rows hold it. Raises `NotFound` when it is none."""
    try:
        return str(UUID(text)) if len(text) == 36 else _no_run(text)
    except ValueError:
        return _no_run(text)


def _no_run(text: str) -> str:
    raise NotFound(f"There is no run {text[:80]!r}.", code="RUN_NOT_FOUND")


def free_text(field: str, text: str | None, *, longest: int = LONGEST_TEXT) -> str | None:
    """`text` without surrounding space; None when nothing is left. Raises `Invalid`."""
    kept = (text or "").strip()
    faults = [problem.message for problem in strict_json.check(kept)]
    if len(kept) > longest:
        faults.append(f"is longer than {longest:,} characters")
    if faults:
        raise Invalid(f"The {field} cannot be kept.", [Problem(field, fault) for fault in faults])
    return kept or None
