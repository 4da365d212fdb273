"""What is selected, above the list of runs; what may be done to it is `blueprints/bulk`."""

from __future__ import annotations

from dataclasses import dataclass

from blueprints.extensions import reading
from blueprints.guard import who
from engine.services.draft_bulk import MOST_ITEMS
from engine.services.select_runs import count_selected


@dataclass(frozen=True, slots=True)
class SelectionBar:
    count: int
    query: str
    """Of the list's filters: for "all that match"."""
    back: str
    """Query of the very page that is shown: where to come back to."""
    newer: str | None = None
    older: str | None = None
    """Queries of the pages beside it."""
    message: str | None = None
    """Why nothing was done."""
    most: int = MOST_ITEMS


def selection_bar(
    query: str,
    back: str,
    *,
    newer: str | None = None,
    older: str | None = None,
    message: str | None = None,
) -> SelectionBar:
    with reading() as session:
        count = count_selected(session, who().operator_id)
    return SelectionBar(count, query, back, newer, older, message)
