"""GET /runs/<id>/graph: the workflow as a picture, with the way that the run has gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Response, request

from blueprints.drawing import NodeFacts, Picture, Zoom, make_picture
from blueprints.extensions import reading, rules, services
from blueprints.guard import who
from blueprints.hypermedia import render_page, unchanged
from blueprints.runs import bp
from blueprints.runs.step_links import StepLinks
from engine.runs.status import TERMINAL, RunStatus, StepStatus
from engine.services.draw_run import DrawnRun, draw_run
from engine.services.entered import run_id_of
from engine.services.glance_run import glance_at_run
from engine.services.inspect_run import open_run
from engine.services.step_tallies import StepTally

_LARGE: Final = 300
"""Steps. A larger picture is asked for less often while the run goes on."""
_OPEN: Final = {StepStatus.STARTED, StepStatus.RETRY_SCHEDULED, RunStatus.WAITING}


@dataclass(frozen=True, slots=True)
class GraphPage:
    run_id: str
    status: RunStatus
    workflow_key: str | None
    workflow_name: str
    workflow_version: int
    picture: Picture
    here: str | None
    """Path of the step that is executed, or that failed."""
    here_says: str
    elsewhere: tuple[StepTally, ...]

    @property
    def polls(self) -> bool:
        return self.status not in TERMINAL

    @property
    def every(self) -> str:
        return "2s" if len(self.picture.nodes) <= _LARGE else "10s"


@bp.get("/<run_id>/graph")
def graph(run_id: str) -> Response:
    """The page; as a fragment its live region. `?zoom=` is fit or per cent."""
    run_id = run_id_of(run_id)
    zoom = Zoom.of(request.args.get("zoom"))
    with reading() as session:
        glance = glance_at_run(session, run_id, services().now())
        tag = glance.page_tag(who().role, "graph", str(zoom))
        same = unchanged(tag)
        if same is not None:
            return same
        drawn = draw_run(open_run(session, run_id, rules()))
    page = _page(drawn, zoom)
    return render_page("runs/graph.html", "runs/_run-graph.html", tag=tag, page=page)


def _page(drawn: DrawnRun, zoom: Zoom) -> GraphPage:
    links = StepLinks.of(drawn.run_id)

    def facts(path: str) -> NodeFacts:
        tally = drawn.tallies.get(path)
        if tally is None:
            words = "not reached" if drawn.status in TERMINAL else "not reached yet"
            return NodeFacts(says=words, status="none", heard=words)
        return NodeFacts(
            says=standing(tally),
            status=tally.status.lower(),
            heard=heard(tally),
            error=drawn.errors.get(path, ""),
            href=links.shown(tally.newest) if tally.newest else links.page,
        )

    picture = make_picture(
        f"Steps of {drawn.workflow_name}, and the way of this run",
        drawn.drawing,
        zoom,
        facts,
        texts=drawn.texts.get,
        walked=drawn.walked,
    )
    here, says = _here(drawn)
    return GraphPage(
        run_id=drawn.run_id,
        status=drawn.status,
        workflow_key=drawn.workflow_key,
        workflow_name=drawn.workflow_name,
        workflow_version=drawn.workflow_version,
        picture=picture,
        here=here,
        here_says=says,
        elsewhere=drawn.elsewhere,
    )


def standing(tally: StepTally) -> str:
    """SUCCEEDED ×12 · FAILED 2 of 12 · FAILED, handled · STARTED, attempt 3."""
    count = _count(tally)
    if tally.occurrences > 1:
        often = f" ×{tally.occurrences:,}" if count == tally.occurrences else (
            f" {count:,} of {tally.occurrences:,}"
        )  # fmt: skip
        return tally.status + often
    if tally.failed and tally.handled:
        return f"{tally.status}, handled"
    return tally.status + (f", attempt {tally.attempts:,}" if tally.attempts > 1 else "")


def heard(tally: StepTally) -> str:
    """As `standing`, for somebody who hears it."""
    times = "1 time" if tally.occurrences == 1 else f"{tally.occurrences:,} times"
    said = f"{tally.status}, {times}"
    if tally.occurrences > 1 and _count(tally) != tally.occurrences:
        said += f", {_count(tally):,} of them {tally.status}"
    if tally.handled:
        said += ", handled" if tally.occurrences == 1 else f", {tally.handled:,} handled"
    return said + (f", up to {tally.attempts:,} attempts" if tally.attempts > 1 else "")


def _count(tally: StepTally) -> int:
    """Occurrences that stand as the whole step is said to."""
    counts: dict[str, int] = {
        StepStatus.RETRY_SCHEDULED: tally.retrying,
        StepStatus.FAILED: tally.failed,
        StepStatus.CANCELED: tally.canceled,
        StepStatus.SUCCEEDED: tally.succeeded,
    }
    return counts.get(tally.status, tally.started)


def _here(drawn: DrawnRun) -> tuple[str | None, str]:
    """The innermost step that goes on; else, of a run that failed, the one that did."""
    paths = [box.step.path for box in drawn.drawing.boxes if box.step.path in drawn.tallies]
    going_on = [path for path in paths if drawn.tallies[path].status in _OPEN]
    if going_on and drawn.status not in TERMINAL:
        return max(going_on, key=lambda path: path.count(".")), "Where it is"
    failed = [p for p in paths if drawn.tallies[p].failed > drawn.tallies[p].handled]
    if failed and drawn.status is RunStatus.FAILED:
        return max(failed, key=lambda path: path.count(".")), "Where it failed"
    return None, ""
