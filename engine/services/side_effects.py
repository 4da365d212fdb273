"""What a run has done already, and its replay does again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.runs.status import InvocationStatus
from engine.store.invocations import WorkflowActionInvocation

WITHOUT_EFFECT: Final = ("log.write", "store.get")
"""Actions that change nothing, or nothing but the run's own log."""


def side_effects_of(session: Session, run_ids: Collection[str]) -> dict[str, list[tuple[str, int]]]:
    """By run: each action that took effect, and how often. Most frequent first."""
    call = WorkflowActionInvocation
    counted = func.count()
    rows = session.execute(
        select(call.run_id, call.action_id, counted.label("times"))
        .where(
            call.run_id.in_(run_ids),
            call.status == InvocationStatus.SUCCEEDED,
            call.action_id.not_in(WITHOUT_EFFECT),
        )
        .group_by(call.run_id, call.action_id)
        .order_by(call.run_id, counted.desc(), call.action_id)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        found.setdefault(row.run_id, []).append((row.action_id, int(row.times)))
    return found
