"""GET /runs/<id> and /runs/<id>/banner."""

from __future__ import annotations

from flask import Response, request

from blueprints.extensions import explainer, fingerprints, reading, rules, services, web
from blueprints.guard import who
from blueprints.hypermedia import render_page, unchanged
from blueprints.runs import bp
from blueprints.runs.banner import QueuedNotice, notice
from blueprints.runs.forms import ReasonForm, position
from blueprints.runs.pages import BannerPage, Controls, RunPage
from blueprints.runs.step_links import StepLinks
from blueprints.runs.task_form import first_task
from engine.services.entered import run_id_of
from engine.services.glance_run import Glance, glance_at_run
from engine.services.inspect_run import OpenedRun, logs_of, open_run, open_waits_of, view_run
from engine.services.inspect_step import details_of
from engine.services.payload_proof import payload_proof, replay_proofs
from engine.services.run_durations import durations_of
from engine.services.run_lineage import lineage_of
from engine.services.run_receipts import receipts_of
from engine.services.run_timeline import earlier_timeline, live_timeline
from engine.services.run_views import RunView, Timeline, WaitView


@bp.get("/<run_id>")
def show(run_id: str) -> Response:
    """The page; as a fragment its live region, or one page of earlier steps."""
    run_id = run_id_of(run_id)
    before, step = position(request.args.get("steps_before")), request.args.get("step") or None
    with reading() as session:
        glance = glance_at_run(session, run_id, services().now())
    why = explained(glance)
    tag = live_tag(glance, why, step)
    same = unchanged(tag) if before is None else None
    if same is not None:
        return same
    with reading() as session:
        opened = open_run(session, run_id, rules())
        page = load_page(opened, glance, why, steps_before=before, step=step)
    fragment = "runs/_run-live.html" if before is None else "runs/_run-earlier.html"
    banner = banner_page(glance, why)
    return render_page("runs/page.html", fragment, tag=tag, page=page, banner=banner)


@bp.get("/<run_id>/banner")
def banner(run_id: str) -> Response:
    """Why the run does not go on; empty, and still asking, while it may yet be needed."""
    run_id = run_id_of(run_id)
    with reading() as session:
        glance = glance_at_run(session, run_id, services().now())
    why = explained(glance)
    page = BannerPage(run_id, polls=glance.may_become_queued, notice=why)
    tag = glance.banner_tag(*why.marks) if why else glance.banner_tag()
    same = unchanged(tag)
    if same is not None:
        return same
    return render_page("runs/banner.html", "runs/_run-banner.html", tag=tag, banner=page)


def load_page(
    opened: OpenedRun,
    glance: Glance,
    why: QueuedNotice | None = None,
    *,
    steps_before: int | None = None,
    step: str | None = None,
    form: ReasonForm | None = None,
    message: str | None = None,
) -> RunPage:
    """Everything that the page of a run shows."""
    session, run_id, now = opened.session, opened.run.run_id, services().now()
    timeline, earlier = Timeline(), None
    if glance.has_steps:
        opened.learn()
        timeline = live_timeline(session, run_id, opened.outline, opened.redaction, also=step)
        if steps_before is not None:
            earlier = earlier_timeline(
                session, run_id, steps_before, opened.outline, opened.redaction
            )
    chosen = timeline.find(step)
    waits = open_waits_of(opened) if glance.has_waits else ()
    logs, more = logs_of(opened) if glance.has_logs else ((), False)
    run = view_run(opened, children=False, replays=glance.has_replays)
    controls = Controls.of(run, glance, who().role, histories=services().histories is not None)
    task = first_task(opened, waits) if controls.answer else None
    return RunPage(
        run=run,
        controls=controls,
        lineage=lineage_of(opened, below=glance.has_children or glance.has_replays),
        timeline=timeline,
        earlier=earlier,
        step=step,
        details=details_of(opened, chosen) if chosen else None,
        links=StepLinks.of(run_id),
        waits=_for_people_first(waits),
        task=task,
        logs=logs,
        more_logs=more,
        polls=not glance.is_over,
        worker_fresh=glance.worker_fresh,
        temporal_url=_temporal_url(run),
        durations=durations_of(opened, now, waited=glance.has_waits),
        seen_at=now,
        reloads=steps_before is None and task is None and request.args.get("reload") != "off",
        form=form or ReasonForm(),
        message=message,
        receipts=receipts_of(session, run),
        why=None if glance.queued else why,
        proof=payload_proof(session, opened.run, fingerprints()),
        proofs=replay_proofs(session, opened.run, run.replayed_as, fingerprints()),
    )


def _for_people_first(waits: tuple[WaitView, ...]) -> tuple[WaitView, ...]:
    order = ["human", "quota"]
    return tuple(
        sorted(waits, key=lambda w: order.index(w.wait_type) if w.wait_type in order else 2)
    )


def explained(glance: Glance) -> QueuedNotice | None:
    """Why the run does not go on. Asks Temporal: not to be called inside a transaction."""
    found = explainer().explain(services(), glance)
    return notice(found, services().now()) if found else None


def live_tag(glance: Glance, why: QueuedNotice | None, step: str | None = None) -> str:
    marks = why.marks if why and not glance.queued else ()
    return glance.page_tag(who().role, step, *marks)


def banner_page(glance: Glance, why: QueuedNotice | None) -> BannerPage:
    """Of a run that has begun the live region itself says why it stands still."""
    shown = why if glance.queued else None
    return BannerPage(glance.run_id, polls=glance.may_become_queued, notice=shown)


def _temporal_url(run: RunView) -> str | None:
    base = web().temporal_ui_url
    if base is None or run.engine != "temporal" or not run.temporal_workflow_id:
        return None
    return f"{base}/namespaces/{web().temporal_namespace}/workflows/{run.temporal_workflow_id}"
