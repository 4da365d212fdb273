"""GET /runs/bulk and /runs/bulk/<id>: the dry run, then the progress and a receipt per item."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request

from blueprints.bulk import bp
from blueprints.bulk.pages import BulkPage, DryRun
from blueprints.extensions import lookout, reading, services
from blueprints.guard import needs, who
from blueprints.hypermedia import render_page, unchanged
from engine.errors import NotFound
from engine.runs.roles import Role
from engine.services.draft_bulk import bulk_of
from engine.services.follow_bulk import BulkView, follow_bulk, newest_bulks, receipts
from engine.services.forecast_bulk import forecast
from engine.store.bulk import BulkStatus

OPERATION: Final = "workflow_run_bulk"
_LONGEST_NUMBER: Final = 4


@bp.get("/bulk")
@needs(Role.OPERATOR, OPERATION)
def index() -> Response:
    """The operations that were started last, of all operators."""
    with reading() as session:
        found = newest_bulks(session, services().now())
    pages = [BulkPage(bulk, 0, mine=bulk.operator_id == who().operator_id) for bulk in found]
    return render_page("bulk/list.html", "bulk/_bulk-list.html", pages=pages)


@bp.get("/bulk/<bulk_id>")
@needs(Role.OPERATOR, OPERATION)
def show(bulk_id: str) -> Response:
    bulk_id = bulk_id_of(bulk_id)
    with reading() as session:
        bulk = follow_bulk(session, bulk_id, services().now())
    same = unchanged(bulk.tag) if bulk.status is not BulkStatus.DRAFT else None
    return same or render_bulk(load_bulk(bulk), tag=bulk.tag)


def load_bulk(
    bulk: BulkView,
    *,
    reason: str = "",
    problems: dict[str, str] | None = None,
    message: str | None = None,
) -> BulkPage:
    page = _page_number(request.args.get("page", ""))
    draft = bulk.status is BulkStatus.DRAFT
    with reading() as session:
        found = forecast(services(), session, bulk_of(session, bulk.bulk_id)) if draft else []
        items = () if draft else receipts(session, bulk, page)
    return BulkPage(
        bulk,
        page,
        mine=bulk.operator_id == who().operator_id,
        dry_run=DryRun.of(found, page) if draft else None,
        ahead=lookout().look(services()) if draft else None,
        per_minute=services().limits.launches_per_minute,
        items=items,
        filters=tuple(f"{name}: {value}" for name, value in parse_qsl(bulk.query or "")),
        reason=reason,
        problems=problems or {},
        message=message,
    )


def render_bulk(page: BulkPage, status: int = 200, *, tag: str | None = None) -> Response:
    fragment = "bulk/_bulk-draft.html" if page.is_draft else "bulk/_bulk-live.html"
    return render_page("bulk/page.html", fragment, status=status, tag=tag, page=page)


def bulk_id_of(text: str) -> str:
    """Raises `NotFound`."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound("There is no such bulk operation.", code="BULK_NOT_FOUND") from None


def _page_number(text: str) -> int:
    fits = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return max(0, int(text) - 1) if fits else 0
