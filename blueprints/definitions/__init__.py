"""Workflows, as operators call definitions: the list, one workflow, and the Run dialog."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("definitions", __name__)

from blueprints.definitions import browse, control, graph, pause, simulate  # noqa: E402

__all__ = ["bp", "browse", "control", "graph", "pause", "simulate"]
