"""GET /runs/<id>/timeline: the steps of a run against time."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request, url_for

from blueprints.extensions import reading, rules, services
from blueprints.hypermedia import render_page, unchanged
from blueprints.runs import bp
from blueprints.runs.forms import position
from blueprints.runs.gantt import Gantt, gantt
from blueprints.runs.step_links import StepLinks
from engine.runs.status import RunStatus
from engine.services.entered import run_id_of
from engine.services.glance_run import glance_at_run
from engine.services.inspect_run import open_run
from engine.services.run_timeline import earlier_timeline, live_timeline


@dataclass(frozen=True, slots=True)
class TimelinePage:
    run_id: str
    status: RunStatus
    workflow_name: str
    picture: Gantt | None
    polls: bool
    links: StepLinks
    earlier_url: str | None
    newest_url: str | None


@bp.get("/<run_id>/timeline")
def timeline(run_id: str) -> Response:
    """The newest occurrences, or a page of earlier ones, as on the run's own page."""
    run_id, before = run_id_of(run_id), position(request.args.get("steps_before"))
    with reading() as session:
        glance = glance_at_run(session, run_id, services().now())
        tag = glance.page_tag("timeline")
        same = unchanged(tag) if before is None else None
        if same is not None:
            return same
        opened = open_run(session, run_id, rules())
        opened.learn()
        args = (opened.outline, opened.redaction)
        if before is None:
            found = live_timeline(session, run_id, *args)
        else:
            found = earlier_timeline(session, run_id, before, *args)

    def address(place: int | None) -> str:
        return url_for("runs.timeline", run_id=run_id, steps_before=place)

    page = TimelinePage(
        run_id=run_id,
        status=glance.status,
        workflow_name=opened.row.name,
        picture=gantt(
            found.occurrences,
            opened.run.completed_at or services().now(),
            goes_on=before is None and not glance.is_over,
        ),
        polls=before is None and not glance.is_over,
        links=StepLinks.of(run_id),
        earlier_url=None if found.before is None else address(found.before),
        newest_url=None if before is None else address(None),
    )
    return render_page("runs/timeline.html", "runs/_run-timeline.html", tag=tag, page=page)
