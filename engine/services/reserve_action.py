"""Execute an action in two transactions: reserve, do it, close (docs/rules.md 3).

The first takes quota, opens the step's row and claims the call in the ledger under a lease, so that
whoever comes after a lost worker knows that the call may have been made. The second closes by
compare and set on the lease token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.contract import ActionAnswer, Json
from engine.errors import Category, RunOver, StepFailed
from engine.runs.status import InvocationStatus, StepStatus
from engine.services.action_attempt import Attempt
from engine.services.action_outcome import (
    CANCELLED_UNDER_WAY,
    answer,
    bounded,
    call_of,
    outcome_unknown,
    stored_input,
    write_canceled,
    write_failure,
    write_success,
)
from engine.services.attempt import Stop, Stopped, Watch, run_watched
from engine.services.record_progress import apply_batch
from engine.services.step_rows import action_row
from engine.services.take_quota import take_quota
from engine.services.values import fit
from engine.store import ledger, projection
from engine.store.projection import RunGlance, glance

LEASE: Final = timedelta(seconds=15)
_EXTEND_EVERY: Final = timedelta(seconds=5)


class CallIsBusy(Exception):
    """Another attempt holds the call's lease: ask again later."""


class LeaseLost(Exception):
    """Another attempt has taken the call over: what this one did or got does not count."""


@dataclass(frozen=True, slots=True)
class _Reserved:
    invocation_id: str
    token: str


def perform_reserved(attempt: Attempt) -> ActionAnswer:
    """As `perform_action`."""
    opened = _Opening(attempt).open()
    if isinstance(opened, ActionAnswer):
        return opened
    if isinstance(opened, StepFailed):
        raise opened
    return _Call(attempt, opened).execute()


class _Opening:
    """The first transaction. What it gives back: the claim, or how the attempt has ended."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._call = attempt.call
        self._now = attempt.services.now()
        self._token = uuid4().hex

    def open(self) -> _Reserved | ActionAnswer | StepFailed:
        with self._attempt.services.store.writing() as session:
            view = glance(session, self._call.batch, to_write=True)
            if view.over:
                raise RunOver("The run has ended.")
            apply_batch(session, self._call.batch, view, self._now, run_row=True)
            if self._attempt.counted:
                denied = take_quota(session, self._call, self._now)
                if denied is not None:
                    return ActionAnswer(
                        quota=denied,
                        take_boundary=view.cancel_requested,
                        repeated=view.lost_rows,
                    )
            return self._claim(session, view)

    def _claim(self, session: Session, view: RunGlance) -> _Reserved | ActionAnswer | StepFailed:
        call, expires_at = call_of(self._call), self._now + LEASE
        known_input = stored_input(session, self._call, self._now)
        invocation_id = ledger.claim_new(
            session, call, self._token, expires_at, self._now, known_input
        )
        if invocation_id is None:
            entry = ledger.find(session, call, lock=True)
            if entry is None:
                raise CallIsBusy("the ledger's row has just gone")
            if entry.status == InvocationStatus.SUCCEEDED:
                return self._attempt.recorder.write_stored(session, entry, view, self._now)
            if entry.status == InvocationStatus.STARTED and not self._may_take_over(entry):
                return self._give_up(session, entry)
            invocation_id = entry.invocation_id
            ledger.take_over(session, invocation_id, self._token, expires_at, self._now)
        row = action_row(session, self._call, StepStatus.STARTED, self._now)
        projection.write_steps(session, [row])
        return _Reserved(invocation_id, self._token)

    def _may_take_over(self, entry: ledger.Entry) -> bool:
        """A call that was begun and not closed. Raises `CallIsBusy` while its holder may live.

        What this very call left behind is taken at once where it may be repeated: Temporal starts
        an attempt only when it has given up the one before.
        """
        own = (entry.run_id, entry.occurrence) == (
            self._call.run_id,
            call_of(self._call).occurrence,
        )
        if own and self._attempt.may_repeat:
            return True
        if self._is_held(entry):
            raise CallIsBusy("another attempt of this call holds its lease")
        return self._attempt.may_repeat

    def _is_held(self, entry: ledger.Entry) -> bool:
        """One that ends further ahead than anybody would set it came from a wrong clock: its holder
        is given up by Temporal, and if it lives it cannot close what was taken from it."""
        ends = entry.lease_expires_at
        return ends is not None and self._now < ends <= self._now + 2 * LEASE

    def _give_up(self, session: Session, entry: ledger.Entry) -> StepFailed:
        failed = outcome_unknown("The worker that executed this action was lost.")
        ledger.take_over(session, entry.invocation_id, self._token, self._now, self._now)
        ledger.close(
            session,
            entry.invocation_id,
            self._token,
            InvocationStatus.FAILED,
            self._now,
            error=failed.as_data(),
        )
        write_failure(session, self._call, failed, self._now, self._attempt.recorder.took_ms)
        return failed


class _Call:
    """The action itself, and the second transaction."""

    def __init__(self, attempt: Attempt, reserved: _Reserved) -> None:
        self._attempt = attempt
        self._call = attempt.call
        self._reserved = reserved
        self._extended = attempt.services.now()

    def execute(self) -> ActionAnswer:
        now = self._attempt.services.now()
        watch = Watch(
            self._attempt.pulse,
            self._call.timeout_ms,
            self._attempt.may_repeat,
            self._extend_lease,
        )
        try:
            output = run_watched(
                lambda: self._attempt.run(now, cancelled=watch.cancelled.is_set), watch
            )
        except StepFailed as failed:
            if failed.category is Category.CANCELLATION and watch.cancelled.is_set():
                return self._cancel(failed)
            return self._fail(failed)
        except Stopped as stopped:
            return self._stop(stopped)
        except LeaseLost:
            raise
        except Exception as error:
            if not watch.cancelled.is_set():
                self._release()
                raise
            # The action ended by an exception of its own because it was told to stop.
            raise self._cancel_unknown() from error
        return self._succeed(output)

    def _extend_lease(self) -> None:
        now = self._attempt.services.now()
        if now - self._extended < _EXTEND_EVERY:
            return
        try:
            with self._attempt.services.store.writing() as session:
                held = ledger.extend_lease(
                    session, self._reserved.invocation_id, self._reserved.token, now + LEASE
                )
        except SQLAlchemyError:
            # A database that is away for a moment is no reason to give a running action up.
            return
        if not held:
            raise LeaseLost
        self._extended = now

    def _succeed(self, output: Json) -> ActionAnswer:
        took = self._attempt.recorder.took_ms

        def write(session: Session, now: datetime) -> dict[str, Any]:
            fitted.append(fit(session, self._call.run_id, output, now))
            return {"output": fitted[0].value}

        fitted: list[Any] = []
        view = self._close(
            InvocationStatus.SUCCEEDED,
            write,
            lambda session, now: write_success(session, self._call, fitted[-1], now, took),
        )
        return answer(fitted[-1], view)

    def _fail(self, failed: StepFailed) -> ActionAnswer:
        failed = bounded(failed)
        took = self._attempt.recorder.took_ms
        self._close(
            InvocationStatus.FAILED,
            lambda session, now: {"error": failed.as_data()},
            lambda session, now: write_failure(session, self._call, failed, now, took),
        )
        raise failed

    def _stop(self, stopped: Stopped) -> ActionAnswer:
        if stopped.why is Stop.REQUESTED:
            raise self._cancel_unknown()
        if stopped.why is Stop.LEAVING:
            self._release()
        raise stopped

    def _cancel_unknown(self) -> StepFailed:
        failed = outcome_unknown(CANCELLED_UNDER_WAY)
        self._write_cancel(failed)
        return failed

    def _cancel(self, failed: StepFailed) -> ActionAnswer:
        """The action itself stopped when it was told to."""
        self._write_cancel(failed)
        raise failed

    def _write_cancel(self, failed: StepFailed) -> None:
        took = self._attempt.recorder.took_ms
        self._close(
            InvocationStatus.FAILED,
            lambda session, now: {"error": failed.as_data()},
            lambda session, now: write_canceled(session, self._call, failed, now, took),
        )

    def _release(self) -> None:
        """Let whoever comes next begin at once."""
        now = self._attempt.services.now()
        with self._attempt.services.store.writing() as session:
            ledger.extend_lease(session, self._reserved.invocation_id, self._reserved.token, now)

    def _close(
        self,
        status: InvocationStatus,
        outcome: Callable[[Session, datetime], dict[str, Any]],
        write_step: Callable[[Session, datetime], None],
    ) -> RunGlance:
        """Raises `LeaseLost`; `RunOver` where the run ended meanwhile, with the ledger closed.

        The batch was written when the step was opened; only its guard counts here.
        """
        now = self._attempt.services.now()
        with self._attempt.services.store.writing() as session:
            view = glance(session, self._call.batch, to_write=False)
            closed = ledger.close(
                session,
                self._reserved.invocation_id,
                self._reserved.token,
                status,
                now,
                **outcome(session, now),
            )
            if not closed:
                raise LeaseLost
            if not view.over:
                self._attempt.recorder.log.write(session)
                write_step(session, now)
        if view.over:
            raise RunOver("The run has ended.")
        return view
