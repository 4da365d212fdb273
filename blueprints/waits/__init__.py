"""Waits: the inbox of tasks and of what else holds runs, and what may be done to it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("waits", __name__, url_prefix="/waits")

from blueprints.waits import answer, browse, release  # noqa: E402

__all__ = ["answer", "bp", "browse", "release"]
