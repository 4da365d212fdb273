"""Page or fragment, redirect, unchanged: the only reader of HX-* headers (docs/architecture.md 5).

One address serves both: asked for by htmx it answers with the partial alone. Responses of one
address differ by HX-Request, and none is kept by a cache (docs/rules.md 13).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template
from htmx_flask import request

TAG_HEADER = "HX-PTag"


def wants_fragment() -> bool:
    """Is a part of the page asked for? A history restore asks for the whole of it."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    whole: str, fragment: str, /, *, status: int = 200, tag: str | None = None, **context: Any
) -> Response:
    """The page's template, or that of its fragment; `tag` says what state it shows."""
    partly = wants_fragment()
    body = render_template(fragment if partly else whole, partly=partly, tag=tag, **context)
    response = make_response(body, status)
    if tag is not None:
        response.headers[TAG_HEADER] = tag
    return _dressed(response)


def unchanged(tag: str) -> Response | None:
    """304 without a body where the polling element shows this state already; else None."""
    if not wants_fragment() or request.headers.get(TAG_HEADER) != tag:
        return None
    response = Response(status=304)
    response.headers[TAG_HEADER] = tag
    return _dressed(response)


def see_other(url: str) -> Response:
    """303 for a browser. htmx would follow a 303 and swap a whole page in: it gets HX-Redirect."""
    if not wants_fragment():
        return _dressed(make_response(redirect(url, 303)))
    return hx_redirect(url, 200)


def hx_redirect(url: str, status: int) -> Response:
    response = Response(status=status)
    response.headers["HX-Redirect"] = url
    return _dressed(response)


def swap_into(response: Response, target: str) -> Response:
    """Have htmx put this answer in the place of another element than it asked for."""
    if wants_fragment():
        response.headers["HX-Retarget"] = target
        response.headers["HX-Reswap"] = "outerMorph"
    return response


def page_address() -> str:
    """The address of the page that is being looked at: where to come back to."""
    if wants_fragment():
        shown = urlsplit(request.htmx.current_url or "")
    elif request.method == "GET":
        shown = urlsplit(request.full_path.rstrip("?"))
    else:
        shown = urlsplit(request.referrer or "")
        if shown.netloc != request.host:
            shown = urlsplit("/runs")
    return shown.path + (f"?{shown.query}" if shown.query else "") or "/runs"


def _dressed(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("HX-Request")
    return response
