"""GET /waits: the inbox. Tasks first, then what else holds runs (docs/rules.md 7)."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from blueprints.extensions import reading, rules
from blueprints.guard import who
from blueprints.hypermedia import render_page, unchanged
from blueprints.paging import cursor_of
from blueprints.waits import bp
from blueprints.waits.pages import KINDS, KindOption, WaitSection, WaitsPage
from engine.runs.roles import Role
from engine.services.find_waits import list_open_waits
from engine.services.keyset import Cursor
from engine.services.state_tag import state_tag


@bp.get("")
def index() -> Response:
    """Filters are in the address: `kind`, and `mine` for tasks assigned to who asks."""
    problems: list[str] = []
    kind = request.args.get("kind", "").strip() or None
    if kind is not None and kind not in KINDS:
        problems.append(f"There is no kind of wait {kind[:40]!r}.")
        kind = None
    cursor = cursor_of(request.args, problems)
    mine = request.args.get("mine") == "1"
    page = load_waits(kind, mine=mine, cursor=cursor, problems=problems)
    tag = state_tag(page)
    same = None if problems else unchanged(tag)
    return same or render_waits(page, 422 if problems else 200, tag=tag)


def load_waits(
    kind: str | None = None,
    *,
    mine: bool = False,
    cursor: Cursor | None = None,
    problems: Sequence[str] = (),
) -> WaitsPage:
    def address(wanted: str | None, *, mine: bool, place: Cursor | None = None) -> str:
        return url_for(
            "waits.index",
            kind=wanted,
            mine=1 if mine else None,
            cursor=str(place) if place else None,
        )

    with reading() as session:
        if mine or kind is not None:
            kinds = ["human"] if mine else [kind or "human"]
            sections = [_section(session, kinds, cursor, mine=mine)]
        else:
            others = [name for name in KINDS if name != "human"]
            sections = [_section(session, ["human"], None), _section(session, others, None)]
    return WaitsPage(
        sections=tuple(sections),
        kinds=(
            KindOption("", "All", address(None, mine=False), kind is None and not mine),
            *(
                KindOption(name, label, address(name, mine=False), kind == name)
                for name, label in KINDS.items()
            ),
        ),
        mine=mine,
        mine_url=address(None, mine=True),
        address=address(kind, mine=mine, place=cursor),
        polls=cursor is None and not problems,
        may_act=who().may(Role.OPERATOR),
        problems=tuple(problems),
    )


def render_waits(page: WaitsPage, status: int = 200, *, tag: str | None = None) -> Response:
    return render_page(
        "waits/list.html", "waits/_wait-list.html", status=status, tag=tag, page=page
    )


def _section(
    session: Session, kinds: list[str], cursor: Cursor | None, *, mine: bool = False
) -> WaitSection:
    assignee = who().email if mine else None
    found = list_open_waits(session, rules(), kinds=kinds, cursor=cursor, assignee=assignee)
    of = {"mine": 1} if mine else {"kind": kinds[0]} if len(kinds) == 1 else {}
    older = url_for("waits.index", **of, cursor=str(found.older)) if found.older else None
    tasks = kinds == ["human"]
    return WaitSection(
        kind="human" if tasks else "other",
        title="Tasks" if tasks else "Other waits" if len(kinds) > 1 else KINDS[kinds[0]],
        waits=found.waits,
        older_url=older,
        newest_url=url_for("waits.index", **of) if cursor else None,
    )
