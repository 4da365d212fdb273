"""Which runs a list shows: conditions of its query, each of which an index can serve.

Search is by equality or prefix (docs/rules.md 13): of a run's id, or of the key that a run waits
for. Nothing of a payload is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import Session

from engine.runs.queued import QUEUED_AFTER
from engine.runs.status import RunStatus
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.steps import WorkflowRunStep
from engine.store.waits import WorkflowRunWait

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
    def is_plain(self) -> bool:
        """Nothing but statuses and a workflow is asked for."""
        return self == RunFilter(self.statuses, self.workflow_key)


_BORN_OF: Final[Mapping[Trigger, ColumnElement[bool]]] = {
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


def conditions(
    session: Session, wanted: RunFilter, now: datetime, *, statuses: bool = True
) -> list[ColumnElement[bool]]:
    """`statuses` False: all but the statuses, for counting each of them."""
    run = WorkflowRun
    found: list[ColumnElement[bool]] = []
    if statuses and wanted.statuses:
        found.append(run.status.in_(wanted.statuses))
    if wanted.workflow_key is not None:
        found.append(run.workflow_id == workflow_id_of(wanted.workflow_key))
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
    if wanted.text is not None:
        found.append(_begins_with(session, wanted.text))
    return found


def has_steps() -> ColumnElement[bool]:
    step = WorkflowRunStep
    return exists().where(step.run_id == WorkflowRun.run_id, step.superseded.is_(False))


def workflow_id_of(key: str) -> Any:
    return (
        select(WorkflowDefinition.workflow_id)
        .where(WorkflowDefinition.key == key)
        .scalar_subquery()
    )


def _begins_with(session: Session, text: str) -> ColumnElement[bool]:
    wait, key = WorkflowRunWait, WorkflowRunWait.key
    if (
        session.get_bind().dialect.name == "sqlite"
    ):  # its LIKE knows no case, nor therefore an index
        begins = and_(key >= text, key < text + "\U0010ffff")
    else:
        begins = key.startswith(text, autoescape=True)
    by_key = WorkflowRun.run_id.in_(select(wait.run_id).where(begins))
    return or_(_id_begins_with(text.lower()), by_key)


def _id_begins_with(text: str) -> ColumnElement[bool]:
    """As a range of ids, which the primary key serves on both databases."""
    digits = text.replace("-", "")
    if not _ID_PREFIX.fullmatch(digits):
        return false()
    first, last = (str(UUID(digits.ljust(_ID_DIGITS, end))) for end in "0f")
    if not first.startswith(text):  # its hyphens stand elsewhere than an id's
        return false()
    return WorkflowRun.run_id.between(first, last)
