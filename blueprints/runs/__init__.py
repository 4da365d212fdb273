"""Runs: the list, one run, and what may be done to it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("runs", __name__, url_prefix="/runs")

from blueprints.runs import browse, control, export, graph, replay, search  # noqa: E402

__all__ = ["bp", "browse", "control", "export", "graph", "replay", "search"]
