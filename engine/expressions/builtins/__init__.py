"""What the functions of the catalogue do. One file a family; each gets (call, *arguments).

Absent arguments are None, nulls are `NULL`. JSONata's rule for its built-ins: an absent first
argument gives an absent result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.expressions.builtins import data, numbers, originals, text, times

IMPLEMENTATIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **originals.FUNCTIONS,
    **numbers.FUNCTIONS,
    **text.FUNCTIONS,
    **data.FUNCTIONS,
    **times.FUNCTIONS,
}
