"""Runs: the list, one run, and what may be done to it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("runs", __name__, url_prefix="/runs")

from blueprints.runs import (  # noqa: E402
    browse,
    compare,
    control,
    export,
    graph,
    jump,
    records,
    replay,
    reveal,
    search,
    step_files,
    timeline,
)

__all__ = [
    "bp",
    "browse",
    "compare",
    "control",
    "export",
    "graph",
    "jump",
    "records",
    "replay",
    "reveal",
    "search",
    "step_files",
    "timeline",
]
