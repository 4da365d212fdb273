"""Why a run does not go on: evidence from Temporal and from the workers (docs/rules.md 11).

Asked about is a run whose page is looked at, and only while it is queued or has been quiet; what
was found is believed for two seconds, however many people look. Nothing is asked for a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.gateway.executions import WORKER_LOST, Execution, TaskFailure
from engine.runs.queued import Evidence, Held, Place, Verdict, Workers, hindrance, verdict
from engine.services.ask_aside import PATIENCE_S, AskAside
from engine.services.context import Services
from engine.services.glance_run import Glance
from engine.services.watch_queue import QueueSeen, QueueWatch, workers_now

_PATIENCE_WITH_BEGUN_S: Final = 0.1
"""Most are well: their page does not wait. What comes later is shown by the next poll."""
_NOWHERE: Final = Place(Held.NOWHERE)


@dataclass(frozen=True, slots=True)
class Explanation:
    verdict: Verdict
    evidence: Evidence
    begun: bool = False
    """It has steps, and stands still at a later one."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What Temporal says of one run."""

    known: bool
    place: Place | None


class Explainer:
    """One a process; it holds nothing that could not be found again."""

    def __init__(self, watch: QueueWatch) -> None:
        self._watch = watch
        self._runs: AskAside[_Seen] = AskAside()

    def explain(self, services: Services, glance: Glance) -> Explanation | None:
        """None: nothing is to be explained. Not to be called inside a transaction."""
        if glance.queued:
            found = self._evidence(services, glance, self._watch.look(services))
            return Explanation(verdict(found), found)
        return self._of_begun(services, glance) if glance.quiet else None

    def _of_begun(self, services: Services, glance: Glance) -> Explanation | None:
        """Who waits for an event for weeks costs one call to Temporal each time, and no more."""
        queue = self._watch.look(services, _PATIENCE_WITH_BEGUN_S)
        if not queue.answers:
            return None
        found = self._evidence(services, glance, queue, Workers(), _PATIENCE_WITH_BEGUN_S)
        if hindrance(found) is None:
            return None
        found = self._evidence(services, glance, queue)
        why = hindrance(found)
        return Explanation(why, found, begun=True) if why else None

    def _evidence(
        self,
        services: Services,
        glance: Glance,
        queue: QueueSeen,
        workers: Workers | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Evidence:
        """`workers`: None to look them up."""
        workflow_id, seen = glance.temporal_workflow_id, None
        if queue.answers and workflow_id is not None:
            asked = workflow_id
            seen = self._runs.ask(
                asked, services.now(), lambda: _describe(services, asked), patience_s
            )
        answers = queue.answers and (seen is None or seen.there)
        of = seen.value if seen and seen.there else None
        return Evidence(
            at=seen.at if seen else queue.at,
            engine_answers=answers,
            engine_answered_at=queue.answered_at,
            engine_knows_run=of.known if of else None,
            place=of.place if of else None,
            claimed=glance.claimed,
            workers=workers_now(services) if workers is None else workers,
            queue=queue.queue,
        )


def _describe(services: Services, workflow_id: str) -> _Seen:
    """Raises `Unavailable`."""
    execution = services.gateway.describe_run(workflow_id)
    if execution is None:
        return _Seen(known=False, place=None)
    task, failure = execution.pending_task, None
    if task is not None and task.attempt > 1 and services.queues is not None:
        failure = services.queues.last_task_failure(workflow_id)
    return _Seen(known=True, place=_place(execution, failure))


def _place(execution: Execution, failure: TaskFailure | None) -> Place:
    task = execution.pending_task
    if not execution.is_open:
        return Place(Held.NOWHERE, execution.closed_at, ended=True)
    if task is not None:
        return Place(
            Held.AT_WORKER if task.started else Held.QUEUED,
            task.scheduled_at,
            attempt=task.attempt,
            failure=_words(failure) if failure else None,
            failed_at=failure.at if failure else None,
            worker_lost=failure is not None and failure.cause == WORKER_LOST,
        )
    return _place_of_activities(execution)


def _words(failure: TaskFailure) -> str:
    return (
        failure.message if failure.cause == WORKER_LOST else f"{failure.cause}: {failure.message}"
    )


def _place_of_activities(execution: Execution) -> Place:
    pending = execution.pending_activities
    if not pending:
        return _NOWHERE
    worst = max(pending, key=lambda one: one.attempt)
    if worst.attempt > 1:
        failure = worst.failure and f"{worst.name}: {worst.failure}"
        return Place(Held.AT_WORKER, worst.scheduled_at, attempt=worst.attempt, failure=failure)
    if any(one.started for one in pending):
        return Place(Held.AT_WORKER)
    return Place(Held.QUEUED, min(one.scheduled_at for one in pending if one.scheduled_at))
