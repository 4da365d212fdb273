"""GET /sign-in, and the way from / to the list."""

from __future__ import annotations

from flask import Response, g, request, url_for

from blueprints.auth import bp
from blueprints.auth.forms import safe_next
from blueprints.auth.pages import SignInPage
from blueprints.hypermedia import render_page, see_other


@bp.get("/")
def home() -> Response:
    return see_other(url_for("runs.index"))


@bp.get("/sign-in")
def sign_in() -> Response:
    """The form; who is signed in already goes on."""
    target = safe_next(request.args.get("next"))
    if g.who is not None:
        return see_other(target)
    return render_page("auth/page.html", "auth/_sign-in.html", page=SignInPage(next=target))
