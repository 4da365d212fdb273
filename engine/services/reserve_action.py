"""Execute an action in two transactions: claim the call, make it, close it (docs/rules.md 3).

The first is `claim_call`. The second closes by compare and set on the lease token; what works on
our own database does its work inside it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.contract import ActionAnswer, Json
from engine.errors import Category, RunOver, StepFailed
from engine.runs.status import InvocationStatus
from engine.services.action_attempt import Attempt
from engine.services.action_outcome import (
    CANCELLED_UNDER_WAY,
    answer,
    bounded,
    outcome_unknown,
    write_canceled,
    write_failure,
    write_success,
)
from engine.services.attempt import Stop, Stopped, Watch, run_watched
from engine.services.claim_call import LEASE, Opening, Reserved
from engine.services.values import fit
from engine.store import ledger
from engine.store.projection import RunGlance, glance

_EXTEND_EVERY: Final = timedelta(seconds=5)


class LeaseLost(Exception):
    """Another attempt has taken the call over: what this one did or got does not count."""


def perform_reserved(attempt: Attempt) -> ActionAnswer:
    """As `perform_action`."""
    opened = Opening(attempt).open()
    if isinstance(opened, ActionAnswer):
        return opened
    if isinstance(opened, StepFailed):
        raise opened
    return _Call(attempt, opened).execute()


class _Call:
    """The action itself, and the second transaction."""

    def __init__(self, attempt: Attempt, reserved: Reserved) -> None:
        self._attempt = attempt
        self._call = attempt.call
        self._reserved = reserved
        self._extended = attempt.services.now()

    def execute(self) -> ActionAnswer:
        if self._attempt.action.in_transaction:
            return self._execute_inside()
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

    def _execute_inside(self) -> ActionAnswer:
        """Work, ledger and row in one transaction: a lease that was lost undoes the work too."""
        recorder = self._attempt.recorder
        try:
            with self._attempt.services.store.writing() as session:
                now = self._attempt.services.now()
                view = recorder.look(session)
                fitted = fit(
                    session, self._call.run_id, self._attempt.run_inside(now, session), now
                )
                self._close_ledger(session, InvocationStatus.SUCCEEDED, now, output=fitted.value)
                recorder.log.write(session)
                write_success(session, self._call, fitted, now, recorder.took_ms)
        except StepFailed as failed:
            return self._fail(failed)
        return answer(fitted, view)

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
            self._close_ledger(session, status, now, **outcome(session, now))
            if not view.over:
                self._attempt.recorder.log.write(session)
                write_step(session, now)
        if view.over:
            raise RunOver("The run has ended.")
        return view

    def _close_ledger(
        self, session: Session, status: InvocationStatus, now: datetime, **outcome: Any
    ) -> None:
        """Raises `LeaseLost`."""
        token = self._reserved.token
        if not ledger.close(session, self._reserved.invocation_id, token, status, now, **outcome):
            raise LeaseLost
