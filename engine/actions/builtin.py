"""The built-in actions, and what an installation sets for them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.actions.action import Action


@dataclass(frozen=True, slots=True)
class ActionOptions:
    """The composition root fills it from the settings of the same names."""

    production: bool = False
    """Loopback and private addresses are denied to http.request unless allowed."""
    http_allow: tuple[str, ...] = ()
    http_deny: tuple[str, ...] = ()
    smtp_url: str | None = None
    smtp_from: str = "run-studio@localhost"


def actions(options: ActionOptions) -> list[Action]:
    """Every built-in action, made with these options."""
    return []
