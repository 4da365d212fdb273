"""Why a run is queued: evidence from Temporal and from the workers' heartbeats (docs/rules.md 11).

Only a run whose banner is shown is asked about, and what was found is believed for two seconds
however many people look at it. While Temporal does not answer it is asked once in five seconds, by
one thread: the pages must not wait for what is down.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.errors import Unavailable
from engine.runs.queued import Evidence, Verdict, verdict
from engine.services.context import Services
from engine.services.glance_run import Glance
from engine.services.heartbeat import living_workers

_BELIEVED_FOR: Final = timedelta(seconds=2)
_DOWN_FOR: Final = timedelta(seconds=5)
_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Explanation:
    verdict: Verdict
    evidence: Evidence


class Explainer:
    """One a process; it holds nothing that could not be found again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._known: OrderedDict[str, Evidence] = OrderedDict()
        self._down_until: datetime | None = None

    def explain(self, services: Services, glance: Glance) -> Explanation:
        """Not to be called inside a transaction."""
        evidence = self._recent(glance.run_id, services.now())
        if evidence is None:
            evidence = self._gathered(services, glance)
        return Explanation(verdict(evidence), evidence)

    def _recent(self, run_id: str, now: datetime) -> Evidence | None:
        with self._lock:
            found = self._known.get(run_id)
        return found if found and timedelta() <= now - found.at < _BELIEVED_FOR else None

    def _gathered(self, services: Services, glance: Glance) -> Evidence:
        now = services.now()
        if not self._asking.acquire(blocking=False):
            return self._without_engine(services, glance, now)
        try:
            evidence = self._ask(services, glance, now)
        finally:
            self._asking.release()
        with self._lock:
            self._known[glance.run_id] = evidence
            self._known.move_to_end(glance.run_id)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return evidence

    def _ask(self, services: Services, glance: Glance, now: datetime) -> Evidence:
        if self._down_until is not None and now < self._down_until:
            return self._without_engine(services, glance, now)
        workflow_id = glance.temporal_workflow_id
        try:
            execution = services.gateway.describe_run(workflow_id) if workflow_id else None
            task = execution.pending_task if execution else None
            failure = None
            if task is not None and task.attempt > 1 and services.queues and workflow_id:
                failure = services.queues.last_task_failure(workflow_id)
            queue = services.queues.describe_queue() if services.queues and execution else None
        except Unavailable:
            self._down_until = now + _DOWN_FOR
            return self._without_engine(services, glance, now)
        self._down_until = None
        return Evidence(
            at=now,
            engine_reachable=True,
            engine_knows_run=execution is not None,
            claimed=glance.claimed,
            worker_seen_at=glance.worker_seen_at,
            poller_seen_at=queue.last_poll_at if queue else None,
            registry_differs=_registry_differs(services, now),
            task_attempt=task.attempt if task else 0,
            task_failure=f"{failure.cause}: {failure.message}" if failure else None,
            rate_limited=queue.rate_limited if queue else None,
        )

    def _without_engine(self, services: Services, glance: Glance, now: datetime) -> Evidence:
        down = self._down_until is not None and now < self._down_until
        return Evidence(
            at=now,
            engine_reachable=False if down else None,
            claimed=glance.claimed,
            worker_seen_at=glance.worker_seen_at,
            registry_differs=_registry_differs(services, now),
        )


def _registry_differs(services: Services, now: datetime) -> bool | None:
    """Does every living worker know other actions than this process? None: none lives."""
    fingerprint = getattr(services.catalogue, "fingerprint", None)
    if fingerprint is None:
        return None
    with services.store.reading() as session:
        theirs = {worker.registry_fingerprint for worker in living_workers(session, now)}
    return fingerprint() not in theirs if theirs else None
