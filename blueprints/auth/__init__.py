"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("auth", __name__)

from blueprints.auth import browse, control  # noqa: E402

__all__ = ["bp", "browse", "control"]
