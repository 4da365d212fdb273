"""Who may do what: each role has the rights of the one before it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    VIEWER = "viewer"
    """Reads everything, redacted."""
    OPERATOR = "operator"
    """Also starts, cancels and replays runs, and answers tasks."""
    ADMIN = "admin"
    """Also publishes, pauses, manages operators, and may reveal."""


_ORDER: Final = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)


def allows(role: Role, needed: Role) -> bool:
    return _ORDER.index(role) >= _ORDER.index(needed)
