"""GET /workflows/<key>/graph: a published version as a picture, `?version=` an older one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request, url_for

from blueprints.definitions import bp
from blueprints.drawing import NodeFacts, Picture, Zoom, make_picture
from blueprints.extensions import reading
from blueprints.hypermedia import render_page
from engine.definitions.drawing.steps import DrawnStep
from engine.services.draw_run import draw_workflow

_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class WorkflowGraphPage:
    key: str
    name: str
    version: int
    is_newest: bool
    picture: Picture


@bp.get("/<key>/graph")
def graph(key: str) -> Response:
    with reading() as session:
        drawn = draw_workflow(session, key, _number(request.args.get("version")))
    steps = {box.step.path: box.step for box in drawn.drawing.boxes}
    picture = make_picture(
        f"Steps of {drawn.name}",
        drawn.drawing,
        Zoom.of(request.args.get("zoom")),
        lambda path: _facts(steps[path]),
    )
    page = WorkflowGraphPage(drawn.key, drawn.name, drawn.version, drawn.is_newest, picture)
    return render_page("definitions/graph.html", "definitions/_workflow-graph.html", page=page)


def _facts(step: DrawnStep) -> NodeFacts:
    """A call leads to the picture of the workflow that it calls."""
    href = None
    if step.calls:
        href = url_for("definitions.graph", key=step.calls)
    return NodeFacts(says=step.kind if step.detail else "", href=href)


def _number(text: str | None) -> int | None:
    """What is no number is as if nothing had been asked."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        return None
    return int(text)
