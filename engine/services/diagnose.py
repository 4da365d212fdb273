"""What stands in the way of runs being executed, each with what to do (`flask doctor`).

Looks only; nothing is mended here. A check that cannot be made says so instead of failing the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from engine.contract import TASK_QUEUE
from engine.errors import RunStudioError, Unavailable
from engine.runs.queued import QUEUED_AFTER
from engine.runs.roles import Role
from engine.services import heartbeat
from engine.services.check_schema import check_schema
from engine.services.check_secrets import missing_secrets
from engine.services.context import Services
from engine.services.handshake import known_here
from engine.services.last_pass import last_pass
from engine.services.open_runs import OpenRun, open_runs
from engine.services.tally_runs import tally_runs
from engine.store.operators import Operator
from engine.store.workers import WorkerHeartbeat

_LOOKED_INTO: Final = 50
"""Open runs that are asked about one by one."""
_LISTED: Final = 100_000
_POLL_FRESH: Final = timedelta(seconds=75)
"""A live worker's last poll is up to 70 s old (docs/measured.md 4)."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    message: str
    remedy: str | None = None
    """What to do; None where all is well."""


def diagnose(services: Services) -> list[Check]:
    """Every check, in the order in which one depends on another."""
    schema = _schema(services)
    temporal = _temporal(services)
    rest: list[Callable[[Services], Iterable[Check]]] = []
    if schema.ok:
        rest += [_operators, _workers]
    if all(check.ok for check in temporal):
        rest.append(_pollers)
        if schema.ok:
            rest.append(_stranded)
    if schema.ok:
        rest += [_reconciler, _accounts, _secrets]
    return [schema, *temporal, *(each for look in rest for each in _guarded(look, services))]


def _guarded(look: Callable[[Services], Iterable[Check]], services: Services) -> list[Check]:
    try:
        return list(look(services))
    except (RunStudioError, SQLAlchemyError) as error:
        name = look.__name__.lstrip("_")
        return [Check(name, False, f"it could not be looked at: {error}", "Ask again.")]


def _schema(services: Services) -> Check:
    try:
        check_schema(services.store)
    except Unavailable as error:
        return Check("schema", False, error.message, "Start the database, or set DATABASE_URL.")
    except RunStudioError as error:
        return Check("schema", False, error.message, str(error.details["remedy"]))
    return Check("schema", True, "the database is there and its schema is at head")


def _temporal(services: Services) -> list[Check]:
    try:
        services.gateway.describe_run("run-of-the-doctor")
    except Unavailable as error:
        cause = str(error.details.get("cause", ""))
        if cause.startswith("NOT_FOUND"):
            return [
                Check("temporal", True, "Temporal answers"),
                Check(
                    "namespace",
                    False,
                    f"the namespace is not there: {cause}",
                    "Create it (`temporal operator namespace create NAME`), or set "
                    "TEMPORAL_NAMESPACE.",
                ),
            ]
        return [
            Check(
                "temporal",
                False,
                f"{error.message} {cause}".strip(),
                "Start Temporal (`make run` brings one), or set TEMPORAL_ADDRESS.",
            )
        ]
    return [
        Check("temporal", True, "Temporal answers"),
        Check("namespace", True, "its namespace is there"),
    ]


def _operators(services: Services) -> Iterable[Check]:
    with services.store.reading() as session:
        admins = session.scalar(
            select(func.count())
            .select_from(Operator)
            .where(Operator.role == Role.ADMIN, Operator.is_active.is_(True))
        )
    if admins:
        yield Check("operators", True, "an admin can sign in")
    else:
        yield Check(
            "operators",
            False,
            "no admin can sign in",
            "Run `flask operators add EMAIL --role admin`.",
        )


def _workers(services: Services) -> Iterable[Check]:
    now = services.now()
    with services.store.reading() as session:
        living = list(heartbeat.living_workers(session, now))
        last = heartbeat.last_seen(session)
    start = "Start a worker: `python worker.py` (or `make run`)."
    if not living:
        seen = "none was ever seen" if last is None else f"the last was seen at {last.seen_at:%c}"
        yield Check("worker", False, f"no worker lives: {seen}", start)
        return
    unready = [f"{one.identity}: {one.unready_because}" for one in living if one.unready_because]
    if len(unready) == len(living):
        yield Check(
            "worker",
            False,
            f"no worker is ready: {', '.join(unready)}",
            "They go on by themselves when that is over.",
        )
    else:
        yield Check("worker", True, f"{len(living)} worker(s) live")
    yield _registry(services, living)


def _registry(services: Services, living: list[WorkerHeartbeat]) -> Check:
    mine = known_here(services)
    if mine is None:
        return Check("registry", True, "this process has no registry to compare")
    others = sorted(
        each.identity for each in living if each.registry_fingerprint != mine.fingerprint
    )
    if not others:
        return Check("registry", True, "every worker has the same actions as this process")
    return Check(
        "registry",
        False,
        f"other actions than this process have: {', '.join(others)}",
        "Install the same packages everywhere and start these workers again.",
    )


def _pollers(services: Services) -> Iterable[Check]:
    if services.queues is None:
        return
    last = services.queues.describe_queue().last_poll_at
    if last is not None and services.now() - last <= _POLL_FRESH:
        yield Check("queue", True, f"the task queue {TASK_QUEUE} is polled")
    else:
        yield Check(
            "queue",
            False,
            f"nobody polls the task queue {TASK_QUEUE}",
            "Start a worker: `python worker.py`. If one runs, look whether it uses the same "
            "TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.",
        )


def _stranded(services: Services) -> Iterable[Check]:
    """Open runs that Temporal does not execute."""
    with services.store.reading() as session:
        rows = open_runs(session, services.now(), older_than=QUEUED_AFTER)
    listed = set(services.gateway.open_run_ids(limit=_LISTED))
    stranded = [row for row in rows if row.workflow_id not in listed and _lost(services, row)]
    if not stranded:
        yield Check("stranded", True, f"all of {len(rows)} open run(s) are in Temporal's hands")
        return
    named = ", ".join(row.run_id for row in stranded[:_LOOKED_INTO])
    yield Check(
        "stranded",
        False,
        f"{len(stranded)} open run(s) are executed by nothing: {named}",
        "A worker starts or closes them within a minute: start one; its log says what it did. "
        "Or close one by hand: `flask runs cancel ID --force`.",
    )


def _lost(services: Services, row: OpenRun) -> bool:
    """The listing may lag: what counts is the execution's description."""
    execution = services.gateway.describe_run(row.workflow_id)
    return execution is None or not execution.is_open


def _reconciler(services: Services) -> Iterable[Check]:
    now = services.now()
    with services.store.reading() as session:
        if not heartbeat.a_worker_lives(session, now):
            return
        last = last_pass(session)
    look = "look into the workers' logs for `reconciler`."
    if last is None or last.overdue(now):
        seen = "never" if last is None else f"last at {last.at:%c}"
        yield Check(
            "reconciler",
            False,
            f"rows and executions were not compared for a minute ({seen})",
            f"A worker that has just begun does it within a minute; else {look}",
        )
    elif not last.compared:
        yield Check(
            "reconciler",
            False,
            f"the last pass could not compare anything: {last.cause or 'Temporal did not answer'}",
            "The workers cannot reach Temporal: look at their TEMPORAL_ADDRESS and network.",
        )
    else:
        yield Check("reconciler", True, "rows and executions are compared regularly")


def _accounts(services: Services) -> Iterable[Check]:
    with services.store.reading() as session:
        tally = tally_runs(session, services.now())
    if tally.balanced:
        yield Check("accounted", True, f"all of {tally.accepted} accepted run(s) are accounted for")
        return
    named = ", ".join(run.run_id for run in tally.unaccounted)
    yield Check(
        "accounted",
        False,
        f"accepted, and neither started nor ended with a reason: {named or 'some'}",
        "The page /engine lists them; a worker starts what was never started.",
    )


def _secrets(services: Services) -> Iterable[Check]:
    missing = missing_secrets(services)
    if not missing:
        yield Check("secrets", True, "every secret that a published workflow names is there")
        return
    named = ", ".join(use.name for use in missing)
    yield Check(
        "secrets",
        False,
        f"published workflows name secrets that are not there: {named}",
        "Set SECRET_<NAME> or SECRET_<NAME>_FILE for the workers; `flask secrets check` says who "
        "uses them.",
    )
