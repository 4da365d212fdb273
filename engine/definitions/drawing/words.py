"""The second line of a drawn step: what it calls, waits for or decides."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.contract import Json

_ELLIPSIS: Final = "…"
_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))


def detail_of(kind: str, step: Mapping[str, Any]) -> str:
    """Empty where there is nothing to say, or where the step has not the shape it should have."""
    say = _DETAILS.get(kind)
    if say is None:
        return ""
    config = step.get("config")
    return " ".join(say(config if isinstance(config, dict) else step).split())


def shortened(text: str, columns: float, *, even: bool = False) -> str:
    """`text`, cut with an ellipsis where it is wider than `columns` average letters.

    `even`: in a font whose letters are all of one width.
    """
    width = _even_width if even else _letter_width
    if sum(map(width, text)) <= columns:
        return text
    kept, room = "", columns - 1
    for letter in text:
        room -= width(letter)
        if room < 0:
            break
        kept += letter
    return kept.rstrip() + _ELLIPSIS


def _even_width(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _letter_width(letter: str) -> float:
    """In average letters of a proportional font; rather too wide than too narrow."""
    if _even_width(letter) != 1:
        return _even_width(letter)
    if letter in "iljtfrI.,:;'|!()[] ":
        return 0.6
    if letter in "mwMW@%" or ord(letter) > 0x2000:
        return 1.5
    return 1.2 if letter.isupper() else 1


def _expression(value: Json) -> str:
    """An expression as it is written, or a literal."""
    if isinstance(value, dict):
        return _expression(value.get("$expr"))
    return value if isinstance(value, str) else ""


def _assigns(config: Mapping[str, Any]) -> str:
    targets = config.get("assign")
    return f"sets {', '.join(targets)}" if isinstance(targets, dict) and targets else ""


def _waits_for(config: Mapping[str, Any]) -> str:
    name, key = _expression(config.get("eventName")), _expression(config.get("correlationKey"))
    return f"{name} for {key}" if name and key else name


def _waits_until(config: Mapping[str, Any]) -> str:
    duration = config.get("durationMs")
    if isinstance(duration, int) and not isinstance(duration, bool):
        return f"waits {_lasting(duration)}"
    until = _expression(config.get("until"))
    return f"waits until {until}" if until else ""


def _lasting(milliseconds: int) -> str:
    parts = []
    for unit, size in _UNITS:
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 ms"


def _loops(step: Mapping[str, Any]) -> str:
    item, items = _expression(step.get("itemVar")), _expression(step.get("items"))
    said = f"{item or 'each'} in {items}" if items else item
    at_once = step.get("concurrency")
    if isinstance(at_once, int) and at_once > 1:
        said += f", {at_once} at once"
    return said


def _calls(step: Mapping[str, Any]) -> str:
    key, version = _expression(step.get("workflowId")), step.get("workflowVersion")
    return f"{key} v{version}" if key and isinstance(version, int) else key


def _captures(step: Mapping[str, Any]) -> str:
    name = _expression(step.get("captureErrorAs"))
    return f"error as {name}" if name else ""


_DETAILS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "action.call": lambda config: _expression(config.get("actionId")),
    "transform.assign": _assigns,
    "state.set": lambda config: _expression(config.get("state")),
    "event.wait": _waits_for,
    "time.wait": _waits_until,
    "human.task": lambda config: (
        _expression(config.get("title")) or _expression(config.get("taskType"))
    ),
    "control.if": lambda step: _expression(step.get("condition")),
    "control.forEach": _loops,
    "control.tryCatch": _captures,
    "control.callWorkflow": _calls,
    "control.return": lambda step: "ends the run",
}
