"""A picture of a workflow, with a run's way in it or without, as it may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.drawing.shapes import Drawing, Line
from engine.definitions.drawing.walked import Passes, lines_walked
from engine.errors import NotFound
from engine.runs.status import RunStatus
from engine.services.drawings import drawing_of
from engine.services.find_definitions import find_definition, latest_version, version_numbered
from engine.services.inspect_run import OpenedRun
from engine.services.run_timeline import error_view
from engine.services.step_tallies import StepTally, tallies_of


@dataclass(frozen=True, slots=True)
class DrawnRun:
    run_id: str
    status: RunStatus
    workflow_key: str | None
    workflow_name: str
    workflow_version: int
    drawing: Drawing
    tallies: Mapping[str, StepTally]
    """By static path; without their errors, which are in `errors`."""
    walked: frozenset[Line]
    texts: Mapping[str, tuple[str, str]]
    """Label and detail of every step, redacted."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """What the step failed with last, redacted."""
    elsewhere: tuple[StepTally, ...] = ()
    """Steps that the run recorded and the document does not have."""


@dataclass(frozen=True, slots=True)
class DrawnWorkflow:
    key: str
    name: str
    version: int
    is_newest: bool
    drawing: Drawing


def draw_run(opened: OpenedRun) -> DrawnRun:
    """The version that the run executes, and how far it came."""
    run, session = opened.run, opened.session
    drawing = drawing_of(session, opened.row.version_id)
    tallies = tallies_of(session, run.run_id)
    failures = {path: tally.error for path, tally in tallies.items() if tally.error is not None}
    if failures:
        opened.learn()
    known = {box.step.path for box in drawing.boxes}
    passes = {path: _passes(tally) for path, tally in tallies.items()}
    redact = opened.redaction.text
    return DrawnRun(
        run_id=run.run_id,
        status=RunStatus(run.status),
        workflow_key=opened.row.key,
        workflow_name=opened.row.name,
        workflow_version=run.workflow_version,
        drawing=drawing,
        tallies=tallies,
        walked=frozenset(lines_walked(drawing, passes)),
        texts={
            box.step.path: (redact(box.step.label) or "", redact(box.step.detail) or "")
            for box in drawing.boxes
        },
        errors={path: _failure(opened, error) for path, error in failures.items()},
        elsewhere=tuple(tally for path, tally in tallies.items() if path not in known),
    )


def draw_workflow(session: Session, key: str, number: int | None = None) -> DrawnWorkflow:
    """A published version, the newest by default. Raises `NotFound`."""
    definition = find_definition(session, key)
    newest = latest_version(session, definition.workflow_id)
    version = newest
    if number is not None and newest is not None and number != newest.version:
        version = version_numbered(session, definition.workflow_id, number)
    if newest is None or version is None:
        missing = "no published version" if number is None else f"no version {number}"
        raise NotFound(f"The workflow {definition.name} has {missing}.", code="VERSION_NOT_FOUND")
    return DrawnWorkflow(
        key=definition.key or "",
        name=definition.name,
        version=version.version,
        is_newest=version.version == newest.version,
        drawing=drawing_of(session, version.version_id),
    )


def _passes(tally: StepTally) -> Passes:
    return Passes(
        begun=tally.occurrences,
        done=tally.succeeded + tally.handled,
        failed=tally.failed - tally.handled,
    )


def _failure(opened: OpenedRun, error: Json) -> str:
    found = error_view(error, opened.redaction)
    if found is None:
        return ""
    return f"{found.category}: {found.message}" if found.category else found.message
