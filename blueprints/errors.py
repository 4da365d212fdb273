"""What went wrong, as a page or a fragment: each class of engine/errors.py has its status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import structlog
from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from blueprints.hypermedia import render_page
from engine.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RunStudioError,
    TooLarge,
    TooMany,
    Unavailable,
)

STATUS: Final[tuple[tuple[type[RunStudioError], int], ...]] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (Invalid, 422),
    (TooLarge, 413),
    (TooMany, 429),
    (Unavailable, 503),
)
RETRY_AFTER_S: Final = 5
"""After a 503."""

_TITLES: Final = {
    400: "That form cannot be used",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    422: "Not accepted",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not available now",
}
_NOT_FOUND: Final = "There is nothing at this address."
_STALE_FORM: Final = (
    "The form did not bring its one-time code along, or the code is no longer valid: it is made "
    "anew with every sign-in. Nothing was done. Go back, where what you typed still stands; copy "
    "it if it is long, reload that page, and send the form again."
)
_TOO_LARGE: Final = (
    "The request is larger than this server reads. Nothing was done; go back, where what you typed "
    "still stands, and shorten it."
)
_WORDS: Final = {404: _NOT_FOUND, 405: "This address does not do that.", 413: _TOO_LARGE}

_log = structlog.get_logger("web")


def init_app(app: Flask) -> None:
    app.register_error_handler(RunStudioError, _expected)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(Exception, _unexpected)


def status_of(error: RunStudioError) -> int:
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def with_retry_after(response: Response, error: RunStudioError) -> Response:
    """When it makes sense to try again, where that is known."""
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(max(1, error.retry_after_s))
    elif isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def error_page(status: int, message: str, *, problems: object = ()) -> Response:
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    return render_page(
        "errors/page.html",
        "errors/_error.html",
        status=status,
        title=title,
        code=status,
        message=message,
        problems=problems,
        request_id=g.get("request_id"),
    )


def _expected(error: RunStudioError) -> Response:
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(error)
    problems = error.problems if isinstance(error, Invalid) else ()
    return with_retry_after(error_page(status, error.message, problems=problems), error)


def _stale_form(error: CSRFError) -> Response:
    _log.info("web.stale_form", path=request.path, reason=error.description)
    return error_page(400, _STALE_FORM)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if 300 <= status < 400:  # a routing redirect
        return Response(headers=error.get_headers(), status=status)
    described = type(error).description != error.description
    message = (error.description if described else None) or _WORDS.get(status)
    response = error_page(status, message or error.description or _NOT_FOUND)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _database(error: Exception) -> Response:
    _log.error("web.database_unavailable", exc_info=error)
    response = error_page(
        503, "The database does not answer. Nothing was changed; try again in a moment."
    )
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _unexpected(error: Exception) -> Response:
    _log.error("web.request_failed", method=request.method, path=request.path, exc_info=error)
    return error_page(
        500,
        "This is a fault of Run Studio, not of what you did. It has been logged; the request's "
        "number below finds it there.",
    )
