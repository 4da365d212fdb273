"""POST /sign-in and /sign-out."""

from __future__ import annotations

from flask import Response, current_app, request, session, url_for

from blueprints.auth import bp
from blueprints.auth.forms import credentials, safe_next
from blueprints.auth.pages import SignInPage
from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import services, web
from blueprints.guard import actor, session_token
from blueprints.hypermedia import render_page, see_other
from engine.errors import Invalid, RunStudioError, TooMany
from engine.services.sign_in import sign_in as sign_in_operator
from engine.services.sign_in import sign_out as sign_out_operator


@bp.post("/sign-in")
def begin() -> Response:
    """Begin a session and go on to where the operator wanted to go."""
    target = safe_next(request.form.get("next"))
    email, password = credentials(request.form)
    try:
        signed_in = sign_in_operator(services(), email, password, request.remote_addr)
    except (Invalid, TooMany) as error:
        return _again(error, email, target)
    held = session_token()
    if held:
        sign_out_operator(services(), held, actor())
    session.clear()  # a form rendered before has no power in this session
    response = see_other(target)
    response.set_cookie(
        current_app.config["RUN_STUDIO_COOKIE"],
        signed_in.token,
        max_age=web().session_lifetime,
        secure=web().production,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


@bp.post("/sign-out")
def end() -> Response:
    held = session_token()
    if held:
        sign_out_operator(services(), held, actor())
    session.clear()
    response = see_other(url_for("auth.sign_in"))
    response.delete_cookie(
        current_app.config["RUN_STUDIO_COOKIE"],
        path="/",
        secure=web().production,
        httponly=True,
        samesite="Lax",
    )
    return response


def _again(error: RunStudioError, email: str, target: str) -> Response:
    page = SignInPage(next=target, email=email, message=error.message)
    response = render_page(
        "auth/page.html", "auth/_sign-in.html", status=status_of(error), page=page
    )
    return with_retry_after(response, error)
