"""How values look on a page: times, durations, ids, long texts. Filters of the templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from flask import Flask, url_for

from blueprints.extensions import services

SHOWN_CHARACTERS: Final = 8000
"""Of one value on a page; the export has all of it."""

_MS: Final = 1000
_UNITS: Final = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        iso=iso,
        moment=moment,
        lasted=lasted,
        until=lambda start, end: lasted(between(start, end)),
        so_far=lambda start: lasted(between(start, services().now())),
        short_id=short_id,
        shown=shown,
        left_out=left_out,
    )
    app.jinja_env.globals["asset"] = _asset(app)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def iso(at: datetime) -> str:
    """For `<time datetime>`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(at: datetime) -> str:
    """In UTC, and saying so; a script shows the reader's own zone instead."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def lasted(milliseconds: float) -> str:
    """820 ms, 3.2 s, 2 min 5 s, 1 h 3 min, 2 d 4 h: the two largest units."""
    if milliseconds < _MS:
        return f"{max(0, round(milliseconds))} ms"
    if milliseconds < 10 * _MS:
        return f"{milliseconds / _MS:.1f} s"
    seconds = round(milliseconds / _MS)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def between(start: datetime, end: datetime) -> float:
    """Milliseconds, never below zero: clocks of two machines may differ."""
    return max(0.0, (end - start).total_seconds() * _MS)


def short_id(value: str) -> str:
    return value[:8]


def shown(text: str) -> str:
    """The beginning of a value's JSON: as much as a page holds."""
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS]


def left_out(text: str) -> int:
    """How many characters `shown` leaves out."""
    return max(0, len(text) - SHOWN_CHARACTERS)


def _asset(app: Flask) -> Callable[[str], str]:
    """The address of a static file, with its content's mark in it: kept for ever, never stale."""
    marks: dict[str, str] = {}

    def asset(name: str) -> str:
        if name not in marks:
            content = (Path(app.root_path) / "static" / name).read_bytes()
            marks[name] = sha256(content).hexdigest()[:12]
        return url_for("static", filename=name, v=marks[name])

    return asset
