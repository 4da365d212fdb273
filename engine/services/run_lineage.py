"""Where a run comes from and what came of it: callers, calls and replays, as one tree.

Two statements at most, however deep it is; bounded, whatever the rows say. A run was called by one
run or replays one, so that there is one way up; below it all is shown, the nearest first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CTE, Select, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from engine.runs.status import RunStatus
from engine.services.inspect_run import OpenedRun
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun

DEEPEST: Final = 32
"""Steps up, and steps down. Calls are at most 8 deep; a replay may be replayed for ever."""
MOST_RUNS: Final = 200
"""Below the run."""


@dataclass(frozen=True, slots=True)
class Relative:
    run_id: str
    status: RunStatus
    workflow_name: str
    workflow_version: int
    started_at: datetime
    is_replay: bool
    """Of the run above it; else it was called by that one."""
    called_at: str | None
    """Path of the step that called it."""
    is_this: bool
    below: tuple[Relative, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    top: Relative
    """The first of those that led to the run, or the run itself."""
    cut_above: bool
    """There are more above it than are shown."""
    cut_below: bool


def lineage_of(opened: OpenedRun, *, below: bool) -> Lineage | None:
    """None where the run has no relatives. `below` False: nothing came of it, do not look."""
    run, session = opened.run, opened.session
    above = _above(session, run.run_id) if run.parent_run_id or run.replay_of_run_id else []
    descent = _below(session, run.run_id) if below else []
    if len(above) < 2 and len(descent) < 2:
        return None
    shown = descent[: MOST_RUNS + 1] or above[:1]
    chain = above[1:]
    top = _tree(shown, run.run_id)
    for row in chain:
        top = _relative(row, run.run_id, (top,))
    highest = chain[-1] if chain else None
    return Lineage(
        top,
        cut_above=highest is not None and _origin(highest) is not None,
        cut_below=len(descent) > len(shown),
    )


def _above(session: Session, run_id: str) -> list[Any]:
    """The run itself first, then the one that it comes from, and so on."""
    upper = aliased(WorkflowRun)
    way = _start(run_id, "way_up")
    climbed = way.union_all(
        select(upper.run_id, way.c.distance + 1)
        .select_from(way)
        .join(WorkflowRun, WorkflowRun.run_id == way.c.run_id)
        .join(
            upper,
            upper.run_id == func.coalesce(WorkflowRun.parent_run_id, WorkflowRun.replay_of_run_id),
        )
        .where(way.c.distance < DEEPEST)
    )
    return list(session.execute(_described(climbed).order_by(climbed.c.distance)))


def _below(session: Session, run_id: str) -> list[Any]:
    """The run itself first, then what it led to, and so on; one more than are shown."""
    lower = aliased(WorkflowRun)
    way = _start(run_id, "way_down")
    came = way.union_all(
        select(lower.run_id, way.c.distance + 1)
        .select_from(way)
        .join(
            lower,
            or_(lower.parent_run_id == way.c.run_id, lower.replay_of_run_id == way.c.run_id),
        )
        .where(way.c.distance < DEEPEST)
    )
    nearest = select(came).limit(MOST_RUNS + 2).cte("nearest")
    query = _described(nearest).order_by(nearest.c.distance, WorkflowRun.started_at)
    return list(session.execute(query))


def _start(run_id: str, name: str) -> CTE:
    run = WorkflowRun
    return (
        select(run.run_id, literal(0).label("distance"))
        .where(run.run_id == run_id)
        .cte(name, recursive=True)
    )


def _described(found: CTE) -> Select[Any]:
    run, of = WorkflowRun, WorkflowDefinition
    columns: tuple[Any, ...] = (
        run.run_id,
        run.status,
        run.started_at,
        run.workflow_version,
        run.parent_run_id,
        run.replay_of_run_id,
        run.trigger_metadata_json,
        of.name,
    )
    return (
        select(*columns)
        .select_from(found)
        .join(run, run.run_id == found.c.run_id)
        .join(of, of.workflow_id == run.workflow_id)
    )


def _tree(rows: Iterable[Any], run_id: str) -> Relative:
    """Of the run and what came of it."""
    known: dict[str, Any] = {}
    came: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        origin = _origin(row)
        if row.run_id != run_id and origin is not None and row.run_id not in known:
            came[origin].append(row)
        known[row.run_id] = row

    def grown(row: Any) -> Relative:
        return _relative(row, run_id, tuple(grown(each) for each in came[row.run_id]))

    return grown(known[run_id])


def _relative(row: Any, run_id: str, below: tuple[Relative, ...]) -> Relative:
    metadata = row.trigger_metadata_json
    called_at = metadata.get("parentStepPath") if isinstance(metadata, dict) else None
    return Relative(
        run_id=row.run_id,
        status=RunStatus(row.status),
        workflow_name=row.name,
        workflow_version=row.workflow_version,
        started_at=row.started_at,
        is_replay=row.parent_run_id is None and row.replay_of_run_id is not None,
        called_at=called_at if isinstance(called_at, str) else None,
        is_this=row.run_id == run_id,
        below=below,
    )


def _origin(row: Any) -> str | None:
    origin: str | None = row.parent_run_id or row.replay_of_run_id
    return origin
