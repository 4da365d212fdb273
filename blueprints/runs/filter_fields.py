"""One field of the list's address after the other, as understood; what is not is said beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final

from werkzeug.datastructures import MultiDict

from blueprints.runs import columns
from engine.runs import strict_json
from engine.runs.status import RunStatus

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_TEXT: Final = 200


class FilterFields:
    """Nothing is guessed: a value that means nothing is left out, and is a problem of its field."""

    def __init__(self, given: MultiDict[str, str]) -> None:
        self._given = given
        self.problems: dict[str, str] = {}

    def typed(self, name: str) -> str:
        return self._given.get(name, "").strip()

    def choice(self, name: str, known: Mapping[str, object], what: str) -> str:
        text = self.typed(name)
        if not text or text in known:
            return text
        self.problems[name] = f"There is no {what} {text[:80]!r}."
        return ""

    def flag(self, name: str) -> bool:
        text = self.typed(name)
        if text not in {"", "0", "1"}:
            self.problems[name] = f"{text[:40]!r} is neither 0 nor 1."
        return text == "1"

    def statuses(self) -> tuple[RunStatus, ...]:
        named = [text.strip().upper() for text in self._given.getlist("status") if text.strip()]
        self._several("status", "status", [text for text in named if text not in set(RunStatus)])
        return tuple(status for status in RunStatus if status.value in named)

    def columns(self) -> tuple[str, ...]:
        named = columns.named(self._given.getlist("columns"))
        self._several("columns", "column", columns.unknown(named))
        return columns.chosen([name for name in named if name not in columns.unknown(named)])

    def version(self) -> int | None:
        text = self.typed("version")
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return int(text)
        self.problems["version"] = f"{text[:40]!r} is no version: a whole number."
        return None

    def moment(self, name: str, *, end: bool = False) -> datetime | None:
        """A day, whole, or a time; in UTC where it says no other offset. `end`: of the day."""
        text = self.typed(name)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            if _DAY.fullmatch(text):
                found = datetime.combine(found, time(), UTC) + timedelta(days=1 if end else 0)
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            example = "for example 2026-01-31, or 2026-01-31T09:30"
            self.problems[name] = f"{text[:40]!r} is no time: {example}."
            return None

    def text(self) -> str | None:
        """Of a run's id or of a key, its beginning."""
        text = self.typed("q")
        if strict_json.check(text):
            self.problems["q"] = "What is searched for holds characters that no key can hold."
            return None
        if len(text) > _LONGEST_TEXT:
            self.problems["q"] = f"What is searched for is longer than {_LONGEST_TEXT} characters."
            return None
        return text.removeprefix("run-") or None

    def _several(self, name: str, what: str, wrong: Sequence[str]) -> None:
        if wrong:
            self.problems[name] = " ".join(f"There is no {what} {text[:40]!r}." for text in wrong)
