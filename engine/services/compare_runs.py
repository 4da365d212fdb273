"""Two runs side by side: payload, definition, way, timings and outcome, redacted on both sides.

Each side is redacted as its own page is, by its own rules and what it itself is known to hide:
nothing is shown here that is not shown there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.differences import DocumentDifferences, compare_documents
from engine.runs.fingerprint import Fingerprints
from engine.runs.json_diff import Differences, Side, compare_json
from engine.runs.passages import Passage, Passages, side_by_side
from engine.runs.status import OPEN, RunStatus
from engine.services.inspect_run import OpenedRun, open_run, view_run
from engine.services.redact_run import Rules
from engine.services.run_durations import Durations, durations_of
from engine.services.run_passages import passages_of
from engine.services.run_views import RunView
from engine.services.version_changes import document_of
from engine.store.definitions import WorkflowDefinitionVersion
from engine.store.runs import WorkflowRun

_OFFERED: Final = 8
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ComparedRun:
    view: RunView
    fingerprint: str
    """Of the whole payload, masked values too."""
    spent: Durations
    """So far, where it goes on."""

    @property
    def is_open(self) -> bool:
        return self.view.status in OPEN

    @property
    def took_ms(self) -> float | None:
        end = self.view.completed_at
        return None if end is None else max(0.0, (end - self.view.started_at) / _MS)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The run that was started first stands left: what was added came with the later one."""

    left: ComparedRun
    right: ComparedRun
    payload: Differences
    payloads_equal: bool
    """By fingerprint: masked values are equal too."""
    same_workflow: bool
    same_version: bool
    definition: DocumentDifferences | None
    """None: it is the same version, or one of them is gone."""
    definition_gone: bool
    way: Passages


@dataclass(frozen=True, slots=True)
class OfferedRun:
    run_id: str
    status: RunStatus
    started_at: datetime


def compare_runs(
    session: Session,
    one_id: str,
    other_id: str,
    rules: Rules,
    fingerprints: Fingerprints,
    now: datetime,
) -> Comparison:
    """Raises `NotFound`."""
    both = [open_run(session, one_id, rules), open_run(session, other_id, rules)]
    left, right = sorted(both, key=lambda opened: (opened.run.started_at, opened.run.run_id))
    for opened in both:
        opened.learn()
    same_workflow = left.run.workflow_id == right.run.workflow_id
    same_version = left.row.version_id is not None and left.row.version_id == right.row.version_id
    documents = None if same_version else (_document(left, rules), _document(right, rules))
    definition = None
    if documents is not None and documents[0] is not None and documents[1] is not None:
        definition = compare_documents(documents[0], documents[1], fingerprints.equal)
    return Comparison(
        left=_compared(left, fingerprints, now),
        right=_compared(right, fingerprints, now),
        payload=compare_json(_payload(left), _payload(right), fingerprints.equal),
        payloads_equal=fingerprints.equal(left.run.input_json, right.run.input_json),
        same_workflow=same_workflow,
        same_version=same_version,
        definition=definition,
        definition_gone=documents is not None and None in documents,
        way=side_by_side(_way(left), _way(right)),
    )


def usual_partner(session: Session, run_id: str) -> str | None:
    """The run that this one replays, else its newest replay."""
    run = WorkflowRun
    replayed = session.scalar(select(run.replay_of_run_id).where(run.run_id == run_id))
    if replayed is not None:
        return replayed
    return session.scalar(
        select(run.run_id)
        .where(run.replay_of_run_id == run_id)
        .order_by(run.started_at.desc(), run.run_id.desc())
        .limit(1)
    )


def offered_partners(session: Session, run_id: str) -> tuple[OfferedRun, ...]:
    """The newest other runs of the same workflow."""
    run = WorkflowRun
    of = select(run.workflow_id).where(run.run_id == run_id).scalar_subquery()
    rows = session.execute(
        select(run.run_id, run.status, run.started_at)
        .where(run.workflow_id == of, run.run_id != run_id)
        .order_by(run.started_at.desc(), run.run_id.desc())
        .limit(_OFFERED)
    )
    return tuple(OfferedRun(row.run_id, RunStatus(row.status), row.started_at) for row in rows)


def _compared(opened: OpenedRun, fingerprints: Fingerprints, now: datetime) -> ComparedRun:
    view = view_run(opened, children=False, replays=False)
    spent = durations_of(opened, now, waited=True)
    return ComparedRun(view, fingerprints.of(opened.run.input_json), spent)


def _payload(opened: OpenedRun) -> Side:
    value: Json = opened.run.input_json
    return Side(value, opened.redaction.payload(value).value)


def _document(opened: OpenedRun, rules: Rules) -> Side | None:
    if opened.row.version_id is None:
        return None
    document: Json = opened.session.scalar(
        select(WorkflowDefinitionVersion.definition_json).where(
            WorkflowDefinitionVersion.version_id == opened.row.version_id
        )
    )
    return document_of(document, rules, opened.redaction)


def _way(opened: OpenedRun) -> list[Passage]:
    return passages_of(opened.session, opened.run.run_id, opened.outline, opened.redaction)
