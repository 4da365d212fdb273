"""Somebody who cancels and replays many runs at once, again and again: the workers do it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import select

from engine.runs.status import OPEN, RunStatus
from engine.services.context import Actor, Services
from engine.services.draft_bulk import draft_selected
from engine.services.start_bulk import start_bulk
from engine.store.bulk import BulkKind
from engine.store.tables import Operator, WorkflowDefinition, WorkflowRun

EVERY_S: Final = 8.0
REPLAYED_AT_ONCE: Final = 3
_REPLAYED: Final = "quick-chain"
_PARKED: Final = "parked"

log = structlog.get_logger(__name__)


@dataclass
class BulkOperator:
    services: Services
    email: str
    canceled: int = 0
    replayed: int = 0
    _leave: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """What is parked to the end is cancelled now."""
        self._leave.set()
        if self._thread is not None:
            self._thread.join()
        self.cancel_parked()

    def cancel_parked(self) -> None:
        self.canceled += self._begin(BulkKind.CANCEL, self._runs(_PARKED, list(OPEN), 1000))

    def _work(self) -> None:
        while not self._leave.wait(EVERY_S):
            try:
                self.cancel_parked()
                done = self._runs(_REPLAYED, [RunStatus.SUCCEEDED], REPLAYED_AT_ONCE)
                self.replayed += self._begin(BulkKind.REPLAY, done)
            except Exception as error:  # PostgreSQL is away: the next time
                log.info("drill.bulk_again", reason=type(error).__name__)

    def _runs(self, key: str, statuses: list[RunStatus], most: int) -> list[str]:
        """The newest of them."""
        query = (
            select(WorkflowRun.run_id)
            .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
            .where(
                WorkflowDefinition.key == key,
                WorkflowRun.status.in_(statuses),
                WorkflowRun.replay_of_run_id.is_(None),
            )
            .order_by(WorkflowRun.started_at.desc())
            .limit(most)
        )
        with self.services.store.reading() as session:
            return list(session.scalars(query))

    def _begin(self, kind: BulkKind, runs: list[str]) -> int:
        if not runs:
            return 0
        with self.services.store.reading() as session:
            operator_id = session.scalar(select(Operator.operator_id).filter_by(email=self.email))
        actor = Actor(operator_id, self.email)
        bulk_id = draft_selected(self.services, kind, actor, runs)
        start_bulk(self.services, bulk_id, actor, "a drill")
        return len(runs)
