"""Saved views of the runs list: each operator's own, and reachable without a script."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("saved_views", __name__, url_prefix="/runs/views")

from blueprints.saved_views import browse, control  # noqa: E402

__all__ = ["bp", "browse", "control"]
