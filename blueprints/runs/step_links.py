"""Addresses of one step of a run: of its place on the run's page, and of the files made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from flask import url_for

ANCHOR = "the-step"
"""Of the step that an address asks for: wherever on the page it stands."""


@dataclass(frozen=True, slots=True)
class StepLinks:
    """Made once a page: a list has many steps, and building an address is dear."""

    page: str

    @classmethod
    def of(cls, run_id: str) -> StepLinks:
        return cls(url_for("runs.show", run_id=run_id))

    def shown(self, key: str) -> str:
        """The run's page with this step open; works without scripts."""
        return f"{self.page}?step={_quoted(key)}#{ANCHOR}"

    def file(self, key: str, part: str, attempt: int | None = None) -> str:
        which = "" if attempt is None else f"&attempt={attempt}"
        return f"{self.page}/steps/{part}?step={_quoted(key)}{which}"


@lru_cache(maxsize=1024)
def _quoted(key: str) -> str:
    """Brackets and commas mean nothing in a query: they stay, and the address can be read."""
    return quote(key, safe="[],")
