"""GET /look: light, dark, or as the system has it.

Kept in a cookie, because it is the browser's matter and not the operator's: the same person works
at a bright desk and in a dark room. Nothing is changed here, so that it is a link.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, request

from blueprints.auth.forms import safe_next
from blueprints.extensions import web
from blueprints.hypermedia import see_other

bp = Blueprint("look", __name__)

COOKIE: Final = "run_studio_look"
LOOKS: Final = ("system", "light", "dark")
_KEPT_FOR: Final = timedelta(days=365)


@bp.app_context_processor
def _of_this_browser() -> dict[str, object]:
    """For every page's head and foot."""
    return {"look": _known(request.cookies.get(COOKIE)), "looks": LOOKS}


@bp.get("/look")
def choose() -> Response:
    """Back on the page that was looked at, `next`; what is no look means the system's."""
    response = see_other(safe_next(request.args.get("next")))
    response.set_cookie(
        COOKIE,
        _known(request.args.get("look")),
        max_age=_KEPT_FOR,
        secure=web().production,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _known(wanted: str | None) -> str:
    return wanted if wanted in LOOKS else LOOKS[0]
