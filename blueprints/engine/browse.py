"""GET /engine: accepted, started, open, mended; the reconciler's last pass; the workers."""

from __future__ import annotations

from flask import Response

from blueprints.engine import bp
from blueprints.engine.pages import EnginePage
from blueprints.engine.troubles import troubles_of
from blueprints.extensions import lookout, reading, services
from blueprints.hypermedia import render_page, unchanged
from engine.services.handshake import known_here
from engine.services.last_pass import last_pass, mendings
from engine.services.state_tag import state_tag
from engine.services.tally_runs import tally_runs
from engine.services.undelivered import undelivered
from engine.services.workers_seen import workers_seen
from engine.version import VERSION


@bp.get("")
def index() -> Response:
    """For every role; all figures are of one moment, from the database."""
    page = _load()
    tag = state_tag(page)
    return unchanged(tag) or render_page(
        "engine/page.html",
        "engine/_engine.html",
        tag=tag,
        page=page,
        troubles=troubles_of(page, services().now()),
    )


def _load() -> EnginePage:
    answers = lookout().look(services()).engine_answers
    mine, now = known_here(services()), services().now()
    with reading() as session:
        return EnginePage(
            temporal_answers=answers,
            tally=tally_runs(session, now),
            last=last_pass(session),
            mendings=mendings(session, now),
            undelivered=undelivered(session),
            workers=workers_seen(session, mine, now),
            release=VERSION,
            known=mine,
        )
