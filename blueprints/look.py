"""POST /look: light, dark, or as the system has it.

Kept in a cookie, because it is the browser's matter and not the operator's: the same person works
at a bright desk and in a dark room.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, request

from blueprints.extensions import web
from blueprints.hypermedia import page_address, see_other
from engine.errors import Invalid, Problem

bp = Blueprint("look", __name__)

COOKIE: Final = "run_studio_look"
LOOKS: Final = ("system", "light", "dark")
_KEPT_FOR: Final = timedelta(days=365)


@bp.app_context_processor
def _of_this_browser() -> dict[str, object]:
    """For every page's head and foot."""
    kept = request.cookies.get(COOKIE)
    return {"look": kept if kept in LOOKS else LOOKS[0], "looks": LOOKS}


@bp.post("/look")
def choose() -> Response:
    """Back on the page that was looked at."""
    wanted = request.form.get("look", "")
    if wanted not in LOOKS:
        problem = Problem("look", f"One of {', '.join(LOOKS)} is wanted.")
        raise Invalid("There is no such look.", [problem])
    response = see_other(page_address())
    response.set_cookie(
        COOKIE,
        wanted,
        max_age=_KEPT_FOR,
        secure=web().production,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response
