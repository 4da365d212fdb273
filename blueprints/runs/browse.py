"""GET /runs, /runs/<id> and /runs/<id>/banner."""

from __future__ import annotations

import hashlib

from flask import Response, request, url_for

from blueprints.extensions import explainer, reading, rules, services, web
from blueprints.guard import who
from blueprints.hypermedia import render_page, unchanged, wants_fragment
from blueprints.runs import bp
from blueprints.runs.banner import notice
from blueprints.runs.forms import ReasonForm, StatusChoice, statuses
from blueprints.runs.pages import (
    BannerPage,
    Controls,
    RunPage,
    RunsPage,
    StatusOption,
    WorkflowOption,
    count_text,
)
from engine.errors import Invalid
from engine.runs.roles import Role
from engine.runs.status import RunStatus
from engine.services.entered import run_id_of
from engine.services.find_runs import Cursor, RunFilter, RunList, find_runs, workflows_with_runs
from engine.services.glance_run import Glance, glance_at_run
from engine.services.inspect_run import OpenedRun, logs_of, open_run, open_waits_of, view_run
from engine.services.run_timeline import earlier_timeline, learn_steps, live_timeline
from engine.services.run_views import RunView, Timeline

_LONGEST_POSITION = 18


@bp.get("")
def index() -> Response:
    """The list. Filters are in the address; an unknown one is said, not guessed."""
    chosen = statuses(request.args.getlist("status"))
    key = request.args.get("workflow", "").strip() or None
    cursor_text = request.args.get("cursor", "").strip()
    problems = [f"There is no status {text[:40]!r}." for text in chosen.unknown]
    cursor = None
    if cursor_text:
        try:
            cursor = Cursor.parse(cursor_text)
        except Invalid as error:
            problems.append(f"{error.message} This is the newest page.")
    with reading() as session:
        workflows = workflows_with_runs(session)
        if key is not None and key not in dict(workflows):
            problems.append(f"There is no workflow {key[:80]!r}.")
            key = None
        found = find_runs(session, RunFilter(chosen.known, key), cursor, services().now())
    tag = _list_tag(found)
    same = None if problems else unchanged(tag)
    if same is not None:
        return same
    page = _runs_page(found, chosen, key, workflows, cursor, problems)
    status = 422 if problems else 200
    return render_page("runs/list.html", "runs/_run-list.html", status=status, tag=tag, page=page)


@bp.get("/<run_id>")
def show(run_id: str) -> Response:
    """The page; as a fragment its live region, or one page of earlier steps."""
    run_id = run_id_of(run_id)
    before = _position(request.args.get("steps_before"))
    with reading() as session:
        glance = glance_at_run(session, run_id, services().now())
        tag = glance.page_tag(who().role)
        same = unchanged(tag) if before is None else None
        if same is not None:
            return same
        page = load_page(open_run(session, run_id, rules()), glance, steps_before=before)
    fragment = "runs/_run-live.html" if before is None else "runs/_run-earlier.html"
    banner = BannerPage(run_id, polls=False) if wants_fragment() else banner_page(glance)
    return render_page("runs/page.html", fragment, tag=tag, page=page, banner=banner)


@bp.get("/<run_id>/banner")
def banner(run_id: str) -> Response:
    """The queued-run banner; empty, and still asking, while it may yet be needed."""
    run_id = run_id_of(run_id)
    with reading() as session:
        glance = glance_at_run(session, run_id, services().now())
    page = banner_page(glance)
    tag = banner_tag(glance, page)
    same = unchanged(tag)
    if same is not None:
        return same
    return render_page("runs/banner.html", "runs/_run-banner.html", tag=tag, banner=page)


def load_page(
    opened: OpenedRun,
    glance: Glance,
    *,
    steps_before: int | None = None,
    form: ReasonForm | None = None,
    message: str | None = None,
) -> RunPage:
    """Everything that the page of a run shows."""
    session, run_id = opened.session, opened.run.run_id
    timeline, earlier = Timeline(), None
    if glance.has_steps:
        learn_steps(session, run_id, opened.redaction)
        timeline = live_timeline(session, run_id, opened.outline, opened.redaction)
        if steps_before is not None:
            earlier = earlier_timeline(
                session, run_id, steps_before, opened.outline, opened.redaction
            )
    logs, more = logs_of(opened) if glance.has_logs else ((), False)
    run = view_run(opened, children=glance.has_children, replays=glance.has_replays)
    return RunPage(
        run=run,
        controls=Controls.of(run, glance, who().role),
        timeline=timeline,
        earlier=earlier,
        waits=open_waits_of(opened) if glance.has_waits else (),
        logs=logs,
        more_logs=more,
        polls=not glance.is_over,
        worker_fresh=glance.worker_fresh,
        temporal_url=_temporal_url(run),
        reloads=steps_before is None and request.args.get("reload") != "off",
        form=form or ReasonForm(),
        message=message,
    )


def banner_page(glance: Glance) -> BannerPage:
    """Asks Temporal where the run is queued: not to be called inside a transaction."""
    shown = None
    if glance.queued:
        shown = notice(explainer().explain(services(), glance))
    return BannerPage(glance.run_id, polls=glance.may_become_queued, notice=shown)


def banner_tag(glance: Glance, page: BannerPage) -> str:
    if page.notice is None:
        return glance.banner_tag()
    seen = page.notice.evidence.worker_seen_at if not glance.worker_fresh else None
    return glance.banner_tag(page.notice.verdict, page.notice.because, seen)


def _position(text: str | None) -> int | None:
    """A place in the timeline; what is none is as if nothing had been asked."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_POSITION:
        return None
    return int(text)


def _temporal_url(run: RunView) -> str | None:
    base = web().temporal_ui_url
    if base is None or run.engine != "temporal" or not run.temporal_workflow_id:
        return None
    return f"{base}/namespaces/{web().temporal_namespace}/workflows/{run.temporal_workflow_id}"


def _list_tag(found: RunList) -> str:
    return hashlib.sha256(repr((found, who().role)).encode()).hexdigest()[:24]


def _runs_page(
    found: RunList,
    chosen: StatusChoice,
    key: str | None,
    workflows: list[tuple[str, str]],
    cursor: Cursor | None,
    problems: list[str],
) -> RunsPage:
    wanted = [status.value for status in chosen.known]

    def address(place: Cursor | None) -> str:
        return url_for(
            "runs.index", status=wanted, workflow=key, cursor=str(place) if place else None
        )

    return RunsPage(
        rows=found.rows,
        statuses=tuple(
            StatusOption(status, count_text(found.counts[status]), status in chosen.known)
            for status in RunStatus
        ),
        workflows=tuple(WorkflowOption(k, name, k == key) for k, name in workflows),
        address=address(cursor),
        polls=cursor is None and not problems,
        filtered=bool(wanted or key),
        newer_url=address(found.newer) if found.newer else None,
        older_url=address(found.older) if found.older else None,
        may_run=who().may(Role.OPERATOR),
        problems=tuple(problems),
    )
