"""Answers that a browser keeps as a file."""

from __future__ import annotations

from flask import Response


def json_download(name: str, text: str) -> Response:
    """`name` without its ending; of letters, digits, dots and dashes alone."""
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response
