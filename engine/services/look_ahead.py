"""What would become of a run that was started now: asked before somebody presses Run or Replay.

Nothing is refused for it: a run that nobody can execute yet is accepted and waits. A page never
waits long for what is down. That a worker lives is looked up each time: one that has just come is
believed at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.contract import TASK_QUEUE
from engine.runs.queued import Evidence, Queue
from engine.services.context import Services
from engine.services.watch_queue import QueueWatch, workers_now


@dataclass(frozen=True, slots=True)
class Ahead:
    engine_answers: bool
    """Temporal has just said that it and the namespace are there."""
    worker_runs: bool
    worker_seen_at: datetime | None = None
    """The newest sign of life, where none runs; None: none was ever seen."""
    polled: bool = True
    """Somebody who lives polls the queue."""
    registry_differs: bool = False
    """All living workers know other actions than this process."""
    queue: Queue | None = None
    task_queue: str = TASK_QUEUE

    @property
    def clear(self) -> bool:
        runs = self.worker_runs and self.polled
        return self.engine_answers and runs and not self.registry_differs


class Lookout:
    """One a process; it holds nothing that could not be found again."""

    def __init__(self, watch: QueueWatch) -> None:
        self._watch = watch

    def look(self, services: Services) -> Ahead:
        """Not to be called inside a transaction."""
        seen, workers = self._watch.look(services), workers_now(services)
        found = Evidence(at=seen.at, workers=workers, queue=seen.queue)
        return Ahead(
            engine_answers=seen.answers,
            worker_runs=workers.living > 0,
            worker_seen_at=workers.seen_at,
            polled=found.polled,
            registry_differs=bool(workers.registry_differs),
            queue=seen.queue,
        )
