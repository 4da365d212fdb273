"""Which runs a list shows: conditions of its query, each of which an index can serve.

Search is by equality or prefix (docs/rules.md 13): of a run's id, of the key that a run waits for,
or of the key of the event that started it. Nothing of a payload is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from engine.runs.queued import QUEUED_AFTER
from engine.runs.status import RunStatus
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.steps import WorkflowRunStep
from engine.store.waits import WorkflowRunWait

Condition = ColumnElement[bool]

_ID_DIGITS: Final = 32
_ID_PREFIX: Final = re.compile(r"[0-9a-f]{4,32}")


class Trigger(StrEnum):
    """What a run was born of."""

    MANUAL = "manual"
    REPLAY = "replay"
    CHILD = "child"
    EVENT = "event"
    SCHEDULE = "schedule"
    RECURRING = "recurring"


@dataclass(frozen=True, slots=True)
class RunFilter:
    statuses: tuple[RunStatus, ...] = ()
    """Empty: every status."""
    workflow_key: str | None = None
    version: int | None = None
    trigger: Trigger | None = None
    began_from: datetime | None = None
    began_before: datetime | None = None
    queued: bool = False
    """Only those whose banner is shown: RUNNING, no step, older than 60 s."""
    text: str | None = None
    """Beginning of a run id, or of a correlation key."""

    @property
    def is_of_statuses(self) -> bool:
        """Nothing but statuses is asked for."""
        return self == RunFilter(self.statuses)


_BORN_OF: Final[Mapping[Trigger, Condition]] = {
    Trigger.MANUAL: and_(
        WorkflowRun.trigger_type.is_(None),
        WorkflowRun.replay_of_run_id.is_(None),
        WorkflowRun.parent_run_id.is_(None),
    ),
    Trigger.REPLAY: WorkflowRun.replay_of_run_id.is_not(None),
    Trigger.CHILD: WorkflowRun.parent_run_id.is_not(None),
    Trigger.EVENT: WorkflowRun.trigger_type == "event",
    Trigger.SCHEDULE: WorkflowRun.trigger_type == "schedule",
    Trigger.RECURRING: WorkflowRun.trigger_type == "recurring",
}


def ways_to_match(
    session: Session, wanted: RunFilter, now: datetime, *, statuses: bool = True
) -> list[list[Condition]]:
    """A run matches that meets all conditions of one of them.

    They are apart because a database plans "id or key" by looking at every run. `statuses` False:
    all conditions but the statuses, for counting each of them.
    """
    common = _conditions(session, wanted, now)
    if statuses and wanted.statuses:
        common.append(WorkflowRun.status.in_(wanted.statuses))
    if wanted.text is None:
        return [common]
    return [[*common, one] for one in _begin_with(session, wanted.text)]


def _conditions(session: Session, wanted: RunFilter, now: datetime) -> list[Condition]:
    run = WorkflowRun
    found: list[Condition] = []
    if wanted.workflow_key is not None:
        found.append(run.workflow_id == definition_id(session, wanted.workflow_key))
    if wanted.version is not None:
        found.append(run.workflow_version == wanted.version)
    if wanted.trigger is not None:
        found.append(_BORN_OF[wanted.trigger])
    if wanted.began_from is not None:
        found.append(run.started_at >= wanted.began_from)
    if wanted.began_before is not None:
        found.append(run.started_at < wanted.began_before)
    if wanted.queued:
        found += [
            run.status == RunStatus.RUNNING,
            run.started_at < now - QUEUED_AFTER,
            ~has_steps(),
        ]
    return found


def has_steps() -> Condition:
    step = WorkflowRunStep
    return exists().where(step.run_id == WorkflowRun.run_id, step.superseded.is_(False))


def definition_id(session: Session, key: str) -> str | None:
    """The value, not a subquery: how frequent it is decides by which index runs are looked for."""
    return session.scalar(
        select(WorkflowDefinition.workflow_id).where(WorkflowDefinition.key == key)
    )


def _begin_with(session: Session, begin: str) -> list[Condition]:
    wait, run = WorkflowRunWait, WorkflowRun
    waits_for = select(wait.run_id).where(*_range(session, wait.key, begin))
    ways = [run.run_id.in_(waits_for), and_(*_range(session, run.correlation_key, begin))]
    ids = _ids_from(begin.lower())
    return ways if ids is None else [run.run_id.between(*ids), *ways]


def _range(session: Session, column: Any, begin: str) -> list[Condition]:
    """Of texts in the order of their bytes: PostgreSQL's collations have orders of their own."""
    end = begin + "\U0010ffff"
    if session.get_bind().dialect.name == "postgresql":
        return [column.bool_op("~>=~")(begin), column.bool_op("~<~")(end)]
    return [column >= begin, column < end]


def _ids_from(begin: str) -> tuple[str, str] | None:
    """The first and the last id that begins so, which the primary key serves on both databases."""
    digits = begin.replace("-", "")
    if not _ID_PREFIX.fullmatch(digits):
        return None
    first, last = (str(UUID(digits.ljust(_ID_DIGITS, end))) for end in "0f")
    # Its hyphens may stand elsewhere than an id's.
    return (first, last) if first.startswith(begin) else None
