"""Many runs at once: the selection, the dry run, the operation and its receipts."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("bulk", __name__, url_prefix="/runs")

from blueprints.bulk import browse, control, selection  # noqa: E402

__all__ = ["bp", "browse", "control", "selection"]
