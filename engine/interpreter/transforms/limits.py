"""What a transform may cost and give: it runs inside a workflow task, which must stay short.

Limits are by count and size, never by the clock (architecture.md 6): replay must end the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.runs import strict_json

OUTPUT_MAX_BYTES: Final = 4 * 1024 * 1024
"""A single output above it is an ActionError (docs/authoring.md)."""
CHARACTERS_PER_EVALUATION: Final = 4_096
"""What a transform costs in the currency of the expressions' budget."""


def too_large(what: str) -> StepFailed:
    return StepFailed(
        Category.ACTION,
        f"{what} is too large: at most {OUTPUT_MAX_BYTES} bytes.",
        code="OUTPUT_TOO_LARGE",
        details={"max": OUTPUT_MAX_BYTES},
    )


def one_text(pieces: Iterable[str]) -> str:
    """The pieces as one text; stops before a text that could not be kept is built."""
    taken: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > OUTPUT_MAX_BYTES:
            raise too_large("The text")
        taken.append(piece)
    return "".join(taken)


def kept(output: dict[str, Json]) -> tuple[dict[str, Json], int]:
    """The output and its size in characters. Raises `StepFailed` for what cannot be stored.

    The quick look comes first; the exact one, which names the place, only where it finds a fault.
    """
    try:
        text = json.dumps(output, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size = len(text.encode("utf-8"))
    except (ValueError, RecursionError):
        raise _not_json(output) from None
    if size > OUTPUT_MAX_BYTES:
        raise too_large("The output")
    if "\\u0000" in text or _depth(output) > strict_json.MAX_DEPTH:
        problems = strict_json.check(output)
        if problems:
            raise _not_json(output)
    return output, len(text)


def _depth(value: Json) -> int:
    depth = 0
    level: list[Json] = [value]
    while level:
        below: list[Json] = []
        containers = False
        for item in level:
            if isinstance(item, dict):
                containers = True
                below.extend(v for v in item.values() if isinstance(v, dict | list))
            elif isinstance(item, list):
                containers = True
                below.extend(v for v in item if isinstance(v, dict | list))
        depth += containers
        level = below
    return depth


def _not_json(output: Json) -> StepFailed:
    problems = [
        {"pointer": problem.pointer, "message": problem.message}
        for problem in strict_json.check(output)
    ]
    first = problems[0] if problems else {"pointer": "", "message": "no JSON"}
    return StepFailed(
        Category.VALIDATION,
        f"The result cannot be kept: {first['pointer'] or 'it'}: {first['message']}",
        code="NOT_JSON",
        details={"problems": problems},
    )
