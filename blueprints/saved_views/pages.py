"""What the page of saved views receives."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.services.saved_views import LONGEST_NAME, MOST_VIEWS, ViewOfRuns


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was sent and could not be used."""

    view_id: str | None
    """None: the form for a new view."""
    name: str
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ViewsPage:
    views: tuple[ViewOfRuns, ...]
    query: str
    """The filters that would be saved; they are those the operator comes from."""
    typed: Typed | None = None
    message: str | None = None
    most: int = MOST_VIEWS
    longest_name: int = LONGEST_NAME

    def name_of(self, view: ViewOfRuns) -> str:
        again = self.typed
        return again.name if again and again.view_id == view.view_id else view.name

    def problem_of(self, view_id: str | None, name: str = "name") -> str | None:
        again = self.typed
        return again.problems.get(name) if again and again.view_id == view_id else None
