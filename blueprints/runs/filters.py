"""What the address of the list of runs asks for: all of it is there, and none is guessed.

A link that was kept means the same later: `last=24h` moves with the clock, `from` and `to` do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from blueprints.runs import columns
from blueprints.runs.filter_fields import FilterFields
from engine.services.run_filter import RunFilter, Trigger

LAST: Final[Mapping[str, timedelta]] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_TYPED: Final = ("workflow", "version", "trigger", "last", "from", "to", "q")
_FOLDED: Final = ("version", "from", "to")


@dataclass(frozen=True, slots=True)
class ListFilters:
    """As typed, and as understood; what cannot be understood is left out and said."""

    wanted: RunFilter
    last: str = ""
    columns: tuple[str, ...] = columns.USUAL
    typed: Mapping[str, str] = field(default_factory=dict)
    """Also what means nothing: a form that is shown again loses none of it."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """By field."""
    asks_for_all: bool = False
    """All runs, whatever the operator's default view is."""

    @classmethod
    def of(
        cls, given: MultiDict[str, str], known_workflows: Mapping[str, str], now: datetime
    ) -> ListFilters:
        fields = FilterFields(given)
        last = fields.choice("last", LAST, "time range")
        began_from, began_before = fields.moment("from"), fields.moment("to", end=True)
        if began_from and began_before and began_from >= began_before:
            fields.problems["to"] = "This is before the time that it begins from."
            began_before = None
        if last:
            began_from = max(now - LAST[last], began_from or now - LAST[last])
        trigger = fields.choice("trigger", {t.value: t for t in Trigger}, "trigger")
        wanted = RunFilter(
            statuses=fields.statuses(),
            workflow_key=fields.choice("workflow", known_workflows, "workflow") or None,
            version=fields.version(),
            trigger=Trigger(trigger) if trigger else None,
            began_from=began_from,
            began_before=began_before,
            queued=fields.flag("queued"),
            text=fields.text(),
        )
        typed = {name: fields.typed(name) for name in _TYPED}
        return cls(wanted, last, fields.columns(), typed, fields.problems, "all" in given)

    @property
    def any(self) -> bool:
        return self.wanted != RunFilter()

    @property
    def unfolded(self) -> bool:
        """One of those that are folded away is in use."""
        return any(self.typed[name] for name in _FOLDED)

    def query(self) -> dict[str, Any]:
        """For `url_for`: this list again."""
        wanted, typed = self.wanted, self.typed
        return {
            "status": [status.value for status in wanted.statuses],
            "workflow": wanted.workflow_key,
            "version": wanted.version,
            "trigger": wanted.trigger.value if wanted.trigger else None,
            "last": self.last or None,
            "from": None if "from" in self.problems else typed["from"] or None,
            "to": None if "to" in self.problems else typed["to"] or None,
            "queued": 1 if wanted.queued else None,
            "q": wanted.text,
            "columns": columns.as_text(self.columns),
            "all": 1 if self.asks_for_all and not self.any else None,
        }

    def query_string(self, **more: str | None) -> str:
        """The same as text, without what is not set: always in the same order."""
        asked = (self.query() | more).items()
        kept = {name: value for name, value in asked if value not in (None, "", [])}
        return urlencode(kept, doseq=True)

    @property
    def only(self) -> str:
        """Which runs, not how they are shown."""
        return self.query_string(columns=None, all=None)

    @property
    def view(self) -> str:
        """What a saved view keeps; empty: all runs, as they usually are shown."""
        return self.query_string(all=None)
