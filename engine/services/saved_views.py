"""Views of the runs list that an operator has saved under a name: filters, kept on the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.services.context import Services
from engine.services.entered import free_text
from engine.store.saved_views import SavedView

MOST_VIEWS: Final = 50
"""Of one operator."""
LONGEST_NAME: Final = 60
LONGEST_QUERY: Final = 2000
_TAKEN: Final = "You have a view of this name already."


@dataclass(frozen=True, slots=True)
class ViewOfRuns:
    view_id: str
    name: str
    query: str
    is_default: bool


def views_of(session: Session, operator_id: str) -> tuple[ViewOfRuns, ...]:
    """By name."""
    rows = session.scalars(
        select(SavedView)
        .where(SavedView.operator_id == operator_id)
        .order_by(func.lower(SavedView.name), SavedView.name)
    )
    return tuple(ViewOfRuns(row.view_id, row.name, row.query, row.is_default) for row in rows)


def save_view(
    services: Services, operator_id: str, name: str, query: str, *, default: bool = False
) -> str:
    """The new view's id. Raises `Invalid` (name, query), and `Conflict` when there are too many."""
    kept = _name(name)
    if len(query) > LONGEST_QUERY:
        problem = Problem("query", f"The filters are longer than {LONGEST_QUERY:,} characters.")
        raise Invalid("These filters cannot be kept.", [problem])
    now, view_id = services.now(), str(uuid4())
    try:
        with services.store.writing() as session:
            mine = select(func.count()).where(SavedView.operator_id == operator_id)
            if (session.scalar(mine) or 0) >= MOST_VIEWS:
                raise Conflict(
                    f"You have {MOST_VIEWS} views, which is the limit. Delete one first.",
                    code="TOO_MANY_VIEWS",
                )
            if default:
                _no_default(session, operator_id)
            session.add(
                SavedView(
                    view_id=view_id,
                    operator_id=operator_id,
                    name=kept,
                    query=query,
                    is_default=default,
                    created_at=now,
                    updated_at=now,
                )
            )
            session.flush()
    except IntegrityError:
        raise _taken() from None
    return view_id


def rename_view(services: Services, operator_id: str, view_id: str, name: str) -> None:
    """Raises `NotFound`, `Invalid`."""
    kept = _name(name)
    try:
        with services.store.writing() as session:
            view = _mine(session, operator_id, view_id)
            view.name, view.updated_at = kept, services.now()
            session.flush()
    except IntegrityError:
        raise _taken() from None


def delete_view(services: Services, operator_id: str, view_id: str) -> None:
    """Raises `NotFound`."""
    with services.store.writing() as session:
        session.delete(_mine(session, operator_id, view_id))


def make_default(services: Services, operator_id: str, view_id: str | None) -> None:
    """What the list opens with from now on; None: all runs. Raises `NotFound`."""
    with services.store.writing() as session:
        chosen = None if view_id is None else _mine(session, operator_id, view_id)
        _no_default(session, operator_id)
        if chosen is not None:
            session.execute(
                update(SavedView).where(SavedView.view_id == chosen.view_id).values(is_default=True)
            )


def default_query(session: Session, operator_id: str) -> str | None:
    """The filters that the list opens with; None: the operator has chosen none."""
    return session.scalar(
        select(SavedView.query).where(
            SavedView.operator_id == operator_id, SavedView.is_default.is_(True)
        )
    )


def _no_default(session: Session, operator_id: str) -> None:
    session.execute(
        update(SavedView)
        .where(SavedView.operator_id == operator_id, SavedView.is_default.is_(True))
        .values(is_default=False)
    )


def _mine(session: Session, operator_id: str, view_id: str) -> SavedView:
    """Another operator's is not found."""
    try:
        wanted = str(UUID(view_id))
    except ValueError:
        wanted = None
    found = None if wanted is None else session.get(SavedView, wanted)
    if found is None or found.operator_id != operator_id:
        raise NotFound("You have no such view.", code="VIEW_NOT_FOUND")
    return found


def _name(text: str) -> str:
    """Raises `Invalid`."""
    kept = free_text("name", text, longest=LONGEST_NAME)
    if kept is None:
        raise Invalid("A view needs a name.", [Problem("name", "Give the view a name.")])
    return kept


def _taken() -> Invalid:
    return Invalid(_TAKEN, [Problem("name", _TAKEN)], code="NAME_TAKEN")
