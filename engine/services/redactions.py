"""How the values of many runs are redacted, at once: for a page on which several runs are shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.services.inspect_run import hidden_above
from engine.services.learn_steps import learn_many
from engine.services.outline import outlines_of
from engine.services.redact_run import Rules, RunRedaction
from engine.store.definitions import WorkflowDefinitionVersion
from engine.store.runs import WorkflowRun


def redactions_of(
    session: Session, rules: Rules, run_ids: Collection[str]
) -> Mapping[str, RunRedaction]:
    """By run id; each has learned. The number of statements does not grow with that of the runs,
    but with that of the runs that called them: what those hide stays hidden."""
    if not run_ids:
        return {}
    rows = session.execute(_inputs(run_ids)).all()
    outlines = outlines_of(session, {row.version_id for row in rows})
    callers = {row.parent_run_id for row in rows}
    above = {caller: hidden_above(session, caller, rules) for caller in callers}
    found = {
        row.run_id: RunRedaction(
            rules, outlines[row.version_id], row.input_json, above[row.parent_run_id]
        )
        for row in rows
    }
    learn_many(session, found)
    return found


def _inputs(run_ids: Collection[str]) -> Select[*tuple[Any, ...]]:
    run, version = WorkflowRun, WorkflowDefinitionVersion
    return (
        select(run.run_id, run.parent_run_id, run.input_json, version.version_id)
        .outerjoin(
            version,
            (version.workflow_id == run.workflow_id) & (version.version == run.workflow_version),
        )
        .where(run.run_id.in_(run_ids))
    )
