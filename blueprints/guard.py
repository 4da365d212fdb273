"""Who asks, and what they may do (docs/architecture.md: sign-in and guard).

Everything but sign-in, health and static files needs a session. The role is read with every
request, so that a changed one takes effect at once; templates show what it allows, and the views
decide, because a fragment can be asked for alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

import structlog
from flask import Flask, Response, current_app, g, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from blueprints.extensions import reading, services
from blueprints.hypermedia import hx_redirect, page_address, see_other, wants_fragment
from engine.errors import Forbidden
from engine.runs.roles import Role, allows
from engine.services import audit
from engine.services.context import Actor
from engine.services.find_waits import COUNT_LIMIT, count_open_tasks
from engine.services.sign_in import operator_of

P = ParamSpec("P")
R = TypeVar("R")

_LONGEST_ID: Final = 36
PUBLIC: Final = frozenset({"auth.sign_in", "auth.begin", "health.live", "health.ready", "static"})


@dataclass(frozen=True, slots=True)
class Who:
    operator_id: str
    email: str
    role: Role

    def may(self, needed: Role) -> bool:
        return allows(self.role, needed)


def init_app(app: Flask) -> None:
    app.before_request(_identify)
    app.context_processor(lambda: {"who": g.get("who"), "open_tasks": _open_tasks})


def who() -> Who:
    """The signed-in operator: there is one in every view that is not public."""
    return cast(Who, g.who)


def actor() -> Actor:
    """Who asks, for audit rows and limits."""
    seen: Who | None = g.get("who")
    if seen is None:
        return Actor(source_ip=request.remote_addr)
    return Actor(seen.operator_id, seen.email, source_ip=request.remote_addr)


def session_token() -> str | None:
    return request.cookies.get(current_app.config["RUN_STUDIO_COOKIE"])


def needs(role: Role, operation: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuse who has less than `role`, and keep in the audit log that they tried."""

    def guarded(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if not who().may(role):
                _refuse(role, operation, kwargs)
            return view(*args, **kwargs)

        return checked

    return guarded


def _refuse(needed: Role, operation: str, place: dict[str, object]) -> None:
    run_id = place.get("run_id")
    audit.record_refusal(
        services(),
        actor(),
        operation,
        record_type=audit.RUN if run_id else None,
        record_id=str(run_id).lower()[:_LONGEST_ID] if run_id else None,
        details={"method": request.method, "path": request.path[:500], "needs": needed.value},
    )
    raise Forbidden(
        f"Your role is {who().role}; this needs {needed.value}. Ask an admin to do it, "
        "or to change your role. Nothing was done.",
        code="ROLE_TOO_LOW",
    )


def _open_tasks() -> str:
    """How many tasks wait for an answer, for the page's head; nothing where that is not known."""
    try:
        with reading() as session:
            count = count_open_tasks(session)
    except SQLAlchemyError:  # the page that says so has a head too
        return ""
    return f"{COUNT_LIMIT:,}+" if count > COUNT_LIMIT else str(count) if count else ""


def _identify() -> AnyResponse | None:
    g.who = None
    if request.endpoint is None:  # no such address: 404 tells nothing
        return None
    token = session_token()
    if request.endpoint == "static" or request.endpoint.startswith("health."):
        return None
    if token:
        with reading() as session:
            operator = operator_of(session, token, services().now())
        if operator is not None:
            g.who = Who(operator.operator_id, operator.email, Role(operator.role))
            structlog.contextvars.bind_contextvars(operator=operator.operator_id)
    if g.who is None and request.endpoint not in PUBLIC:
        return _to_sign_in()
    return None


def _to_sign_in() -> Response:
    address = url_for("auth.sign_in", next=page_address())
    return hx_redirect(address, 401) if wants_fragment() else see_other(address)
