"""Why a run does not go on, in words: one text a verdict, its evidence, and the one thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.contract import TASK_QUEUE
from engine.runs.queued import Evidence, Held, Verdict
from engine.services.explain_queued import Explanation


@dataclass(frozen=True, slots=True)
class Words:
    heading: str
    says: str
    do: str
    """The one thing to do next."""
    stands: str = ""
    """The heading where the run has begun already."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One piece of evidence; its age is counted from `at`."""

    what: str
    at: datetime | None = None


_AGES_TRUE_TO_S: Final = 30

_START: Final = "Start a worker: python worker.py. The run is kept and goes on when one comes."

_WORDS: Final[dict[Verdict, Words]] = {
    Verdict.NOT_SENT: Words(
        "Queued: not handed over to Temporal yet",
        "The run is accepted and kept, but Temporal does not know it. Our side has not handed it "
        "over; the reconciler, which is part of every worker, does so within a minute.",
        "Make sure that a worker is running; nothing else is needed.",
    ),
    Verdict.ENGINE_UNREACHABLE: Words(
        "Queued: Temporal does not answer",
        "Whether a worker has this run is unknown: Temporal could not be asked.",
        "Bring Temporal back, or its address into reach of this web server (flask doctor). The "
        "run is kept and goes on by itself.",
    ),
    Verdict.NO_WORKER: Words(
        "Queued, waiting for worker",
        f"Nobody serves the queue {TASK_QUEUE}: no worker has reported in the last 20 seconds.",
        _START,
        stands="Standing still, waiting for worker",
    ),
    Verdict.AT_CAPACITY: Words(
        "Queued, waiting for worker",
        f"Workers serve the queue {TASK_QUEUE}, but none has taken this run: they are busy.",
        "Start another worker, or wait.",
        stands="Standing still, waiting for worker",
    ),
    Verdict.WRONG_REGISTRY: Words(
        "Queued, waiting for worker",
        "The workers that run know other actions than this web server: they are of another "
        "release, or have other plug-ins.",
        "Bring web and workers to the same release and plug-ins.",
        stands="Standing still, waiting for worker",
    ),
    Verdict.TASK_FAILING: Words(
        "Queued: a worker takes the run, and fails",
        "This is no wait: a worker has taken the run and could not execute it. Temporal keeps "
        "trying.",
        "Mend the cause, which the worker's log tells in full; the run then goes on by itself.",
        stands="Standing still: a worker takes it up, and fails",
    ),
    Verdict.RATE_LIMITED: Words(
        "Queued: held back by a rate limit",
        "Temporal limits how fast the queue is served: more workers would not help.",
        "Raise the limit in Temporal, or wait.",
        stands="Standing still: held back by a rate limit",
    ),
    Verdict.PROJECTION_LAG: Words(
        "Queued: started, but no step is recorded yet",
        "A worker has begun the run. Its steps are not recorded yet, or its first one is long.",
        "Wait. If it stays, see the worker's log and whether the database is slow.",
    ),
    Verdict.UNKNOWN: Words(
        "Queued, waiting for worker",
        "A worker is running, but has not begun this run. Why is not known.",
        "Run flask doctor: it says what stands in the way.",
    ),
}
_NOBODY_POLLS: Final = Words(
    "Queued, waiting for worker",
    "Workers report to this database, but none of them polls the queue: they are of another "
    "Temporal, or of another namespace.",
    "Start the workers with this web server's TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.",
    stands="Standing still, waiting for worker",
)
_WORKER_LOST: Final = Words(
    "Queued: a worker took the run, and was lost",
    "This is no wait: a worker had taken the run, and did not finish its task in time.",
    "Look why it was lost, in its log. The run goes on by itself at the next worker.",
    stands="Standing still: its worker was lost",
)
_ENDED: Final = Words(
    "Queued: ended in Temporal, and not recorded here yet",
    "Temporal has closed the run. The reconciler, which is part of every worker, writes here how "
    "it ended.",
    "Make sure that a worker is running; nothing else is needed.",
)
_LOST: Final = Words(
    "Queued: Temporal has lost the run",
    "A worker had begun it, and Temporal does not know it any more: its data were lost or "
    "replaced. The reconciler, which is part of every worker, closes it with what is known.",
    "Replay it when it is closed.",
)


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    verdict: Verdict
    heading: str
    says: str
    do: str
    signs: tuple[Sign, ...]
    shown_at: datetime
    """Ages are counted up to here, and by a script from there."""
    because: str | None = None
    """What the failing task says."""

    @property
    def marks(self) -> tuple[object, ...]:
        """Changes when what is said changes, and now and then so that ages stay true."""
        seen = tuple((sign.what, sign.at and _span(sign.at)) for sign in self.signs)
        return self.verdict, self.heading, self.because, seen


def _span(at: datetime) -> int:
    return int(at.timestamp()) // _AGES_TRUE_TO_S


def notice(found: Explanation, now: datetime) -> QueuedNotice:
    words = _words(found.verdict, found.evidence)
    place = found.evidence.place
    do = words.do
    if found.verdict is Verdict.TASK_FAILING and not found.evidence.workers.living:
        do = _START
    return QueuedNotice(
        found.verdict,
        words.stands if found.begun and words.stands else words.heading,
        words.says,
        do,
        tuple(_signs(found.evidence)),
        now,
        place.failure if place and found.verdict is Verdict.TASK_FAILING else None,
    )


def _words(verdict: Verdict, evidence: Evidence) -> Words:
    place = evidence.place
    if verdict is Verdict.NO_WORKER and evidence.workers.living:
        return _NOBODY_POLLS
    if verdict is Verdict.TASK_FAILING and place and place.worker_lost:
        return _WORKER_LOST
    if verdict is Verdict.PROJECTION_LAG and place and place.ended:
        return _ENDED
    if verdict is Verdict.UNKNOWN and evidence.claimed and evidence.engine_knows_run is False:
        return _LOST
    return _WORDS[verdict]


def _signs(evidence: Evidence) -> list[Sign]:
    return [
        *_signs_of_temporal(evidence),
        *_signs_of_the_queue(evidence),
        *_signs_of_workers(evidence),
        Sign("Looked at", evidence.at),
    ]


def _signs_of_temporal(evidence: Evidence) -> list[Sign]:
    if evidence.engine_answers is False:
        if evidence.engine_answered_at is None:
            return [Sign("Temporal has not answered since this web server was started")]
        return [Sign("Temporal last answered", evidence.engine_answered_at)]
    if evidence.engine_knows_run is False:
        return [Sign("Temporal has no such run")]
    place = evidence.place
    if place is None:
        return []
    if place.ended:
        return [Sign("Temporal closed the run", place.since)]
    signs = []
    if place.failing:
        signs.append(
            Sign(f"Temporal is at attempt {place.attempt}; the one before failed", place.failed_at)
        )
    elif place.held is Held.QUEUED:
        signs.append(
            Sign(
                "In Temporal its task is in the queue; nobody has taken it since it came",
                place.since,
            )
        )
    elif place.held is Held.AT_WORKER:
        signs.append(Sign("In Temporal its task is with a worker", place.since))
    if evidence.claimed:
        signs.append(Sign("A worker has begun the run"))
    return signs


def _signs_of_the_queue(evidence: Evidence) -> list[Sign]:
    queue = evidence.queue
    if queue is None:
        return []
    name = f"queue {TASK_QUEUE} in namespace {queue.namespace}"
    signs = [Sign(f"The {name} was last polled", queue.polled_at)]
    if queue.polled_at is None:
        signs = [Sign(f"Nobody polls the {name}")]
    if queue.rate_limited:
        signs.append(Sign("Temporal reports a rate limit in force on it"))
    return signs


def _signs_of_workers(evidence: Evidence) -> list[Sign]:
    workers = evidence.workers
    if workers.seen_at is None:
        return [Sign("Of workers, none has ever been seen")]
    if not workers.living:
        return [Sign("The last report of a worker was seen", workers.seen_at)]
    named = "1 worker reports" if workers.living == 1 else f"{workers.living} workers report"
    return [Sign(f"{named}, {_load(evidence)}; the newest report was seen", workers.seen_at)]


def _load(evidence: Evidence) -> str:
    workers = evidence.workers
    if workers.full:
        return f"all {workers.slots} slots in use"
    return f"not all of {workers.slots} slots in use"
