"""What every response carries, and the second layer against forged requests.

The first layer is the CSRF token in every form; a browser also says where a request comes from
(Sec-Fetch-Site), and what comes from another site may not change anything.
"""

from __future__ import annotations

import re
from typing import Final
from uuid import uuid4

import structlog
from flask import Flask, Response, abort, g, request

from blueprints.extensions import web

CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)

_ALWAYS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_SAFE: Final = {"GET", "HEAD", "OPTIONS"}
_OWN: Final = {"same-origin", "none"}
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_dress)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if request.method not in _SAFE:
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None and site not in _OWN:
            abort(403, "This request comes from another site, so that nothing was done.")


def _dress(response: Response) -> Response:
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    if web().production:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response
