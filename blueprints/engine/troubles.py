"""What the engine's page says loudly, in the order in which one depends on another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from blueprints.display import between, lasted
from blueprints.engine.pages import EnginePage, Trouble
from engine.services.workers_seen import Presence, SeenWorker

_START = "Start a worker: `make run`, or `python worker.py`."


def troubles_of(page: EnginePage, now: datetime) -> tuple[Trouble, ...]:
    return (*_temporal(page), *_workers(page), *_reconciler(page, now), *_tally(page))


def _temporal(page: EnginePage) -> Iterator[Trouble]:
    if not page.temporal_answers:
        yield Trouble(
            "Temporal does not answer this process: no run can be started, and none goes on.",
            "Start Temporal, or look at TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE; "
            "`flask doctor` says which of them it is.",
        )


def _workers(page: EnginePage) -> Iterator[Trouble]:
    if not page.living:
        yield Trouble("No worker is running: runs are accepted, and wait for one.", _START)
    for worker in page.living:
        if worker.presence is Presence.UNREADY:
            yield Trouble(
                f"Worker {worker.identity} is not ready: {worker.unready_because}.",
                "It goes on by itself when that is over.",
            )
        if worker.same_actions is False:
            yield Trouble(
                f"Worker {worker.identity} {_differs(worker)}.",
                "Deploy the same release and the same packages to the web and the workers.",
            )


def _differs(worker: SeenWorker) -> str:
    said = [
        f"{word} {', '.join(actions)}"
        for word, actions in (("lacks", worker.lacks), ("has besides", worker.knows_more))
        if actions
    ]
    if not said:
        return "knows the same actions as this web, with other inputs, outputs or flags"
    return f"knows other actions than this web: it {' and '.join(said)}"


def _reconciler(page: EnginePage, now: datetime) -> Iterator[Trouble]:
    last = page.last
    if last is None:
        yield Trouble(
            "The reconciler has never passed: rows and Temporal's executions were not compared.",
            "A worker does it within half a minute of its start." if page.living else _START,
        )
    elif last.overdue(now):
        yield Trouble(
            f"The reconciler has not passed for {lasted(between(last.at, now))}: what is stranded "
            "stays so until it does.",
            "Look into the workers' logs for `reconciler`." if page.living else _START,
        )
    elif not last.compared:
        yield Trouble(
            "The reconciler's last pass could not compare anything. "
            f"{last.cause or 'It was cut short.'}",
            "It tries again every 15 seconds.",
        )


def _tally(page: EnginePage) -> Iterator[Trouble]:
    left = len(page.tally.unaccounted)
    if left:
        are = "1 accepted run is" if left == 1 else f"{left} accepted runs are"
        yield Trouble(
            f"{are} neither started nor ended with a reason: listed below.",
            "The reconciler starts what was never started; a run can also be canceled on its page.",
        )
    elif not page.tally.balanced:
        yield Trouble(
            "The numbers of runs do not add up.",
            "Somebody has changed rows by hand; `flask doctor` looks at every open run.",
        )
