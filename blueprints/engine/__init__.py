"""Whether everything that was accepted is executed: counts, the reconciler, the workers."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("engine", __name__, url_prefix="/engine")

from blueprints.engine import browse  # noqa: E402

__all__ = ["bp", "browse"]
