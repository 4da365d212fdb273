"""The filters of the list of runs: all of them in the address, and none guessed.

A link that was kept means the same later: `last=24h` moves with the clock, `from` and `to` do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from engine.runs import strict_json
from engine.runs.status import RunStatus
from engine.services.run_filter import RunFilter, Trigger

LAST: Final[Mapping[str, timedelta]] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class ListFilters:
    """As typed, and as understood; what cannot be understood is left out and said."""

    wanted: RunFilter
    last: str = ""
    began_from: str = ""
    began_to: str = ""
    problems: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, given: MultiDict[str, str], known_workflows: Mapping[str, str], now: datetime
    ) -> ListFilters:
        problems: list[str] = []
        last = _choice(given, "last", LAST, problems, "time range")
        typed = {name: given.get(name, "").strip() for name in ("from", "to")}
        began_from = _moment(typed["from"], problems)
        if last:
            began_from = max(now - LAST[last], began_from or now - LAST[last])
        trigger = _choice(given, "trigger", {t.value: t for t in Trigger}, problems, "trigger")
        wanted = RunFilter(
            statuses=_statuses(given, problems),
            workflow_key=_choice(given, "workflow", known_workflows, problems, "workflow") or None,
            version=_version(given.get("version", "").strip(), problems),
            trigger=Trigger(trigger) if trigger else None,
            began_from=began_from,
            began_before=_moment(typed["to"], problems, end=True),
            queued=given.get("queued") == "1",
            text=_text(given.get("q", ""), problems),
        )
        return cls(wanted, last, typed["from"], typed["to"], tuple(problems))

    @property
    def any(self) -> bool:
        return self.wanted != RunFilter()

    @property
    def more(self) -> bool:
        """One of those that are folded away is in use."""
        return bool(self.wanted.version or self.began_from or self.began_to or self.wanted.queued)

    def query(self) -> dict[str, Any]:
        """For `url_for`: this filter again."""
        wanted = self.wanted
        return {
            "status": [status.value for status in wanted.statuses],
            "workflow": wanted.workflow_key,
            "version": wanted.version,
            "trigger": wanted.trigger.value if wanted.trigger else None,
            "last": self.last or None,
            "from": self.began_from or None,
            "to": self.began_to or None,
            "queued": 1 if wanted.queued else None,
            "q": wanted.text,
        }

    def query_string(self, **more: str | None) -> str:
        """The same as text, without what is not set: always in the same order."""
        kept = {name: value for name, value in (self.query() | more).items() if value}
        return urlencode(kept, doseq=True)


def _statuses(given: MultiDict[str, str], problems: list[str]) -> tuple[RunStatus, ...]:
    named = [text.strip().upper() for text in given.getlist("status") if text.strip()]
    problems += [f"There is no status {t[:40]!r}." for t in named if t not in set(RunStatus)]
    return tuple(status for status in RunStatus if status.value in named)


def _choice(
    given: MultiDict[str, str],
    name: str,
    known: Mapping[str, object],
    problems: list[str],
    what: str,
) -> str:
    text = given.get(name, "").strip()
    if not text or text in known:
        return text
    problems.append(f"There is no {what} {text[:80]!r}.")
    return ""


def _version(text: str, problems: list[str]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    problems.append(f"{text[:40]!r} is no version: a whole number.")
    return None


def _moment(text: str, problems: list[str], *, end: bool = False) -> datetime | None:
    """A day, whole, or a time; in UTC where it says no other offset. `end`: of the day."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if _DAY.fullmatch(text):
            found = datetime.combine(found, time(), UTC) + timedelta(days=1 if end else 0)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        problems.append(f"{text[:40]!r} is no time: for example 2026-01-31, or 2026-01-31T09:30.")
        return None


def _text(text: str, problems: list[str]) -> str | None:
    kept = text.strip()
    if strict_json.check(kept):
        problems.append("What is searched for holds characters that no key can hold.")
        return None
    if len(kept) > _LONGEST_TEXT:
        problems.append(f"What is searched for is longer than {_LONGEST_TEXT} characters.")
        return None
    return kept.removeprefix("run-") or None
