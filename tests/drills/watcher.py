"""When each run ended, and how, as somebody sees it who looks all the time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select

from engine.runs.status import TERMINAL, RunStatus
from engine.store.logs import LogSource
from engine.store.tables import WorkflowDefinition, WorkflowRun, WorkflowRunLog
from tests.drills.house import House

_WATCH_EVERY_S: Final = 0.25


@dataclass
class Watcher:
    """`ended`: when each run did, in seconds of this process's clock."""

    house: House
    ended: dict[str, float] = field(default_factory=dict)
    under_way: int = 0
    """Runs that are RUNNING."""
    _leave: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._leave.set()
        if self._thread is not None:
            self._thread.join()

    def rows(self) -> list[tuple[str, str, str]]:
        """(run, workflow's key, status)"""
        query = select(WorkflowRun.run_id, WorkflowDefinition.key, WorkflowRun.status).join(
            WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id
        )
        with self.house.store.reading() as session:
            return [(run, str(key), status) for run, key, status in session.execute(query)]

    def mended(self) -> dict[str, int]:
        query = select(WorkflowRunLog.message).filter_by(source=LogSource.RECONCILER)
        with self.house.store.reading() as session:
            return dict(Counter(session.scalars(query)))

    def _watch(self) -> None:
        query = select(WorkflowRun.run_id).where(WorkflowRun.status.in_(TERMINAL))
        count = select(func.count()).where(WorkflowRun.status == RunStatus.RUNNING)
        while not self._leave.wait(_WATCH_EVERY_S):
            try:
                with self.house.store.reading() as session:
                    found = set(session.scalars(query))
                    self.under_way = session.scalar(count) or 0
            except Exception:
                continue
            now = time.monotonic()
            self.ended |= dict.fromkeys(found - self.ended.keys(), now)
