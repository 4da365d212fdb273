"""What the banner of a queued run says: one text a verdict, and only what was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.contract import TASK_QUEUE
from engine.runs.queued import Evidence, Verdict
from engine.services.explain_queued import Explanation


@dataclass(frozen=True, slots=True)
class Words:
    heading: str
    says: str
    do: str


_WORDS: Final[dict[Verdict, Words]] = {
    Verdict.NOT_SENT: Words(
        "Queued: not handed over to Temporal yet",
        "The run is accepted and kept, but Temporal does not know it. The reconciler, which is "
        "part of every worker, hands it over.",
        "Make sure that a worker is running; nothing else is needed.",
    ),
    Verdict.ENGINE_UNREACHABLE: Words(
        "Queued: Temporal does not answer",
        "Whether a worker has this run is not known: Temporal could not be asked.",
        "Check that Temporal is running and reachable from the web server (flask doctor). "
        "The run is kept and goes on by itself.",
    ),
    Verdict.NO_WORKER: Words(
        "Queued, waiting for worker",
        f"No worker has reported in the last 20 seconds: nobody serves the queue {TASK_QUEUE}.",
        "Start a worker, or check why it stopped. The run is kept and begins when one comes.",
    ),
    Verdict.AT_CAPACITY: Words(
        "Queued, waiting for worker",
        f"Workers poll the queue {TASK_QUEUE}, but none has taken this run: they are busy.",
        "Wait, or start another worker.",
    ),
    Verdict.WRONG_REGISTRY: Words(
        "Queued, waiting for worker",
        "The workers that run know other actions than this web server: they are of another "
        "release, or have other plug-ins.",
        "Bring web and workers to the same release and plug-ins.",
    ),
    Verdict.TASK_FAILING: Words(
        "Queued: a worker takes the run, and fails",
        "A worker has picked the run up and could not execute it; Temporal keeps trying.",
        "See the worker's log. When its cause is mended the run goes on by itself.",
    ),
    Verdict.RATE_LIMITED: Words(
        "Queued: held back by a rate limit",
        "Temporal limits how fast the queue is served; more workers would not help.",
        "Raise the limit, or wait.",
    ),
    Verdict.PROJECTION_LAG: Words(
        "Queued: started, but no step is recorded yet",
        "A worker has begun the run. Its steps are not recorded yet, or its first one is long.",
        "Usually nothing. If it stays, see the worker's log and whether the database is slow.",
    ),
    Verdict.UNKNOWN: Words(
        "Queued, waiting for worker",
        "A worker is running, but has not begun this run. Why is not known.",
        "If it stays, see the worker's log, and run: flask doctor.",
    ),
}


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    verdict: Verdict
    words: Words
    evidence: Evidence
    because: str | None = None
    """What the failing task says."""


def notice(explanation: Explanation) -> QueuedNotice:
    return QueuedNotice(
        explanation.verdict,
        _WORDS[explanation.verdict],
        explanation.evidence,
        explanation.evidence.task_failure,
    )
