"""Third parties' actions, found by entry points of the group `run_studio.actions`.

An entry point names an `Action`, a list of them, or a callable that gives either. A broken one is
an error that names it, raised when the registry is made: at start, not at import.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from engine.actions.action import Action
from engine.errors import RunStudioError

GROUP: Final = "run_studio.actions"


class PluginBroken(RunStudioError):
    """An entry point that cannot be loaded, or that gives something else than actions."""

    code = "PLUGIN_BROKEN"


def installed() -> list[EntryPoint]:
    """In the order of their names, so that every process has the same registry."""
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def load(point: EntryPoint) -> list[Action]:
    """The entry point's actions. Raises `PluginBroken`."""
    try:
        found = point.load()
        if callable(found) and not isinstance(found, Action):
            found = found()
    except Exception as error:
        raise PluginBroken(f"{_named(point)}: {type(error).__name__}: {error}") from error
    actions = list(found) if isinstance(found, Iterable) else [found]
    for action in actions:
        if not isinstance(action, Action):
            raise PluginBroken(f"{_named(point)}: it gives {action!r}, which is no Action")
    return actions


def _named(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "unknown"
    return f"The actions {point.name!r} of package {package} ({point.value}) cannot be loaded"
