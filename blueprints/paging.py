"""Which page of a list is asked for."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from engine.errors import Invalid
from engine.services.keyset import Cursor


def cursor_of(given: MultiDict[str, str], problems: list[str]) -> Cursor | None:
    """None: the newest page; a place that is none is added to `problems`."""
    text = given.get("cursor", "").strip()
    try:
        return Cursor.parse(text) if text else None
    except Invalid as error:
        problems.append(f"{error.message} This is the newest page.")
        return None
