"""The reconciler: rows and executions are made to agree again (docs/rules.md 6).

One pass compares the open rows with one listing of the open executions. The listing may lag, so a
difference is only a question: the answer is the execution's description, by workflow id. What was
never started is started; what Temporal has closed or lost is given the end that it proves; what
should not run is stopped. A pass is bounded, and the next one goes on where it ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog

from engine.contract import Json
from engine.errors import Unavailable
from engine.runs.status import LogLevel
from engine.services import heartbeat, launch_tokens, leases, rate_limit, sightings
from engine.services.cancel_run import CancelOutcome, deliver
from engine.services.clocks import is_older_than
from engine.services.context import Services
from engine.services.draft_bulk import forget_drafts
from engine.services.hand_over import start_accepted
from engine.services.open_runs import KnownRun, OpenRun, open_runs, rows_of
from engine.services.run_log import note
from engine.services.settle_run import (
    End,
    counts_as_claimed,
    end_of_canceled,
    end_of_closed,
    end_of_lost,
    end_of_orphan,
    write_end,
)
from engine.store import run_counts
from engine.store.logs import LogSource
from engine.store.runs import WorkflowRun

EVERY: Final = timedelta(seconds=15)
OLD_ENOUGH: Final = timedelta(seconds=15)
"""Younger rows are still being launched, and younger ends still being recorded."""
TERMINATE_AFTER: Final = timedelta(seconds=60)
"""So long may an execution that should not run take to obey a cancel."""
MOST_MENDED: Final = 1000
"""Differences of a kind looked into in one pass."""
MOST_LISTED: Final = 100_000

LEASE_FOR: Final = timedelta(seconds=30)
"""Renewed while a pass goes on: a worker that is killed in one delays the next by two at most."""
_RENEW_EVERY_S: Final = 5.0
_PASS_WITHIN_S: Final = 60.0
_DUE: Final = EVERY - timedelta(seconds=1)
"""Workers tick every 15 s, each with its own beat: a little early is in time."""

log = structlog.get_logger(__name__)


def reconcile(
    services: Services, owner: str, leaving: Callable[[], bool] = lambda: False
) -> dict[str, Json] | None:
    """One pass; what it saw and mended. None: another worker does it, or has just done it.

    A worker that is `leaving` lets go after the run that it is at, for another to go on.
    """
    held = leases.take(services, leases.RECONCILER, owner, held_for=LEASE_FOR, every=_DUE)
    if held is None:
        return None
    keep = partial(leases.renew, services, held, held_for=LEASE_FOR)
    current = Pass(services, owner, held.last_pass, keep, leaving)
    began = time.monotonic()
    try:
        current.execute()
    except _CutShort as why:
        # What this pass has mended stays mended, and the next one goes on.
        current.cut_short()
        log.warning("reconciler.cut_short", owner=owner, reason=str(why))
    except Exception as error:
        current.failed(error)
        raise
    finally:
        took_ms = round((time.monotonic() - began) * 1000)
        report = current.report() | {"by": owner, "tookMs": took_ms}
        leases.give_back(services, held, report)
    return report


class _CutShort(Exception):
    """The lease ran out between two differences, or the worker leaves."""


class Pass:
    """One comparison. `previous` is the report of the pass before it; `keep` renews the lease."""

    def __init__(
        self,
        services: Services,
        owner: str,
        previous: dict[str, Json],
        keep: Callable[[], bool],
        leaving: Callable[[], bool],
    ) -> None:
        self._services = services
        self._owner = owner
        self._keep = keep
        self._leaving = leaving
        self._renew_at = time.monotonic() + _RENEW_EVERY_S
        self._now = services.now()
        self._deadline = time.monotonic() + _PASS_WITHIN_S
        self._cursor = str(previous.get("cursor") or "")
        self._stopping = sightings.from_json(previous.get("stopping"))
        self._forgotten = _moment(previous.get("tokensForgotten"))
        self._still_stopping: sightings.Sightings = {}
        self._mended: dict[str, int] = {}
        self._seen: dict[str, Json] = {"at": self._now.isoformat(), "reachable": True}

    def report(self) -> dict[str, Json]:
        return self._seen | {
            "mended": self._mended,
            "cursor": self._cursor,
            "tokensForgotten": self._forgotten.isoformat(),
            "stopping": sightings.to_json(self._still_stopping),
        }

    def cut_short(self) -> None:
        self._seen["cutShort"] = True

    def failed(self, error: Exception) -> None:
        self._seen["cause"] = f"{type(error).__name__}: the worker's log has more"

    def execute(self) -> None:
        self._forget_old()
        with self._services.store.reading() as session:
            rows = open_runs(session, self._now, older_than=OLD_ENOUGH)
        try:
            listed = set(self._services.gateway.open_run_ids(limit=MOST_LISTED))
            self._hold()
            self._seen |= {"openRows": len(rows), "openExecutions": len(listed)}
            self._compare(rows, listed)
        except Unavailable as error:
            # Nothing is known, so nothing is decided: the next pass asks again.
            self._seen |= {"reachable": False, "cause": error.message}
            log.warning("reconciler.temporal_unavailable", cause=error.details.get("cause"))

    def _compare(self, rows: list[OpenRun], listed: set[str]) -> None:
        known = {row.workflow_id for row in rows}
        differing = (row for row in rows if row.cancel_undelivered or row.workflow_id not in listed)
        for row in self._from_cursor(differing):
            how = self._deliver_cancel if row.cancel_undelivered else self._settle
            self._mend(row.run_id, partial(how, row))
            if "cutShort" in self._seen:
                break
            self._cursor = row.run_id
        self._stop_surplus(listed - known)

    def _from_cursor(self, rows: Iterable[OpenRun]) -> list[OpenRun]:
        """At most so many, beginning behind the last one of the pass before: none is starved."""
        ordered = sorted(rows, key=lambda row: row.run_id)
        self._seen["differences"] = len(ordered)
        behind = [row for row in ordered if row.run_id > self._cursor]
        return (behind + ordered[: len(ordered) - len(behind)])[:MOST_MENDED]

    def _mend(self, run_id: str, how: Callable[[], str | None]) -> None:
        if time.monotonic() > self._deadline:
            self.cut_short()
            return
        self._hold()
        try:
            done = how()
        except Unavailable as error:
            # Of this run alone, or of all? Temporal may refuse what a single row asks for.
            if not self._services.gateway.reachable():
                raise
            log.warning("reconciler.refused", run_id=run_id, cause=error.details.get("cause"))
            done = "errors"
        except Exception:  # one row must not keep the others from being mended
            log.exception("reconciler.failed", run_id=run_id)
            done = "errors"
        if done is not None:
            self._count(done, run_id)

    def _hold(self) -> None:
        """Keep the lease; raises _CutShort."""
        if self._leaving():
            raise _CutShort("the worker is leaving")
        if time.monotonic() < self._renew_at:
            return
        self._renew_at = time.monotonic() + _RENEW_EVERY_S
        if not self._keep():
            raise _CutShort("another worker has taken the lease")

    def _deliver_cancel(self, row: OpenRun) -> str | None:
        """None: it has ended by itself, or is still on its way to Temporal."""
        outcome = deliver(self._services, row.run_id, row.workflow_id, LogSource.RECONCILER)
        with self._services.store.reading() as session:
            run = session.get_one(WorkflowRun, row.run_id)
        if outcome is CancelOutcome.REQUESTED:
            if run.cancel_delivered_at is None:
                return None
            self._note(row.run_id, "The cancel had not reached Temporal: it was delivered now.")
        return f"cancel_{outcome.value}"

    def _settle(self, row: OpenRun) -> str | None:
        """What Temporal says of a run that the listing does not show."""
        execution = self._services.gateway.describe_run(row.workflow_id)
        if execution is not None:
            if execution.is_open:
                return None
            return self._end(row, end_of_closed(self._services, execution))
        if counts_as_claimed(row.claimed_by, row.epoch):
            return self._end(row, end_of_lost(self._services))
        if row.cancel_requested:
            return self._end(row, end_of_canceled(self._services, claimed=False))
        if row.parent_open is not None:
            return self._settle_child(row)
        return self._start(row)

    def _settle_child(self, row: OpenRun) -> str | None:
        """A child that never began: its parent starts it, nobody else, and not after its end."""
        if row.parent_open:
            return None
        return self._end(row, end_of_orphan(self._services))

    def _start(self, row: OpenRun) -> str:
        start_accepted(self._services, row.run_id)
        message = "The run had been accepted but not handed to Temporal: it was started now."
        self._note(row.run_id, message)
        return "started"

    def _end(self, row: OpenRun, end: End) -> str | None:
        source = LogSource.RECONCILER
        if not write_end(self._services, row.run_id, end, source, claimed_by=row.claimed_by):
            return None
        return end.status.value

    def _stop_surplus(self, surplus: set[str]) -> None:
        """Executions whose row is terminal: cancel, and terminate what does not obey."""
        with self._services.store.reading() as session:
            rows = rows_of(session, sorted(surplus))
        self._seen["unknownExecutions"] = len(surplus) - len(rows)
        ended = [
            row
            for row in rows
            if row.ended_at and is_older_than(OLD_ENOUGH, row.ended_at, self._now)
        ]
        for row in ended[:MOST_MENDED]:
            self._mend(row.run_id, partial(self._stop, row))

    def _stop(self, row: KnownRun) -> str | None:
        seen = self._stopping.get(row.workflow_id, {})
        since = min(seen.get(self._owner, self._now), self._now)
        if self._now - since >= TERMINATE_AFTER:
            if not self._services.gateway.terminate_run(row.workflow_id, "the run has ended"):
                return None
            self._note(row.run_id, "It has ended, but still ran in Temporal: terminated.")
            return "surplus_terminated"
        self._still_stopping[row.workflow_id] = {**seen, self._owner: since}
        if seen or not self._services.gateway.cancel_run(row.workflow_id):
            return None
        self._note(row.run_id, "It has ended, but still ran in Temporal: canceled.")
        return "surplus_canceled"

    def _note(self, run_id: str, message: str) -> None:
        now = self._services.now()
        with self._services.store.writing() as session:
            note(session, run_id, LogLevel.WARN, message, now=now, source=LogSource.RECONCILER)

    def _count(self, what: str, run_id: str) -> None:
        self._mended[what] = self._mended.get(what, 0) + 1
        log.warning("reconciler.mended", run_id=run_id, what=what)

    def _forget_old(self) -> None:
        with self._services.store.writing() as session:
            heartbeat.forget_old(session, self._now)
            rate_limit.forget_old(session, self._now)
            if self._now - self._forgotten >= launch_tokens.FORGOTTEN_EVERY:
                launch_tokens.forget_old(session, self._now)
                self._forgotten = self._now
            forget_drafts(session, self._now)
            run_counts.fold(session)


def _moment(kept: Json) -> datetime:
    return datetime.fromisoformat(str(kept)) if kept else datetime.min.replace(tzinfo=UTC)
