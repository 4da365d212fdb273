"""Is the process alive, and can it do its work? For load balancers and `make run`; no session."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from blueprints.extensions import reading, services
from engine.services.check_schema import is_behind

bp = Blueprint("health", __name__)


@bp.get("/live")
def live() -> Response:
    """The process answers."""
    return _answer(True, {})


@bp.get("/ready")
def ready() -> Response:
    """The database with its schema and Temporal answer too; 503 says which of them does not."""
    checks = {"database": _database(), "temporal": _temporal()}
    return _answer(all(found == "ok" for found in checks.values()), checks)


def _database() -> str:
    try:
        with reading() as session:
            session.execute(text("SELECT count(*) FROM workflow_runs WHERE 1 = 0"))
        behind = is_behind(services().store)
    except SQLAlchemyError:
        return "the database does not answer, or has no schema: run `flask doctor`"
    return "the database's schema is behind: run `flask db upgrade`" if behind else "ok"


def _temporal() -> str:
    if services().gateway.reachable():
        return "ok"
    return "Temporal does not answer, or its namespace is not there: run `flask doctor`"


def _answer(good: bool, checks: dict[str, str]) -> Response:
    response = jsonify({"status": "ok" if good else "unavailable", "checks": checks})
    response.status_code = 200 if good else 503
    response.headers["Cache-Control"] = "no-store"
    return response
