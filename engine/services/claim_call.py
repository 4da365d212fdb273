"""The first of an action's two transactions: the call is claimed before it is made (rules.md 3).

It takes quota, opens the step's row and claims the call in the ledger under a lease, so that
whoever comes after a lost worker knows that the call may have been made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy.orm import Session

from engine.contract import ActionAnswer
from engine.errors import RunOver, StepFailed
from engine.runs.status import InvocationStatus, StepStatus
from engine.services.action_attempt import Attempt
from engine.services.action_outcome import call_of, outcome_unknown, stored_input, write_failure
from engine.services.record_progress import apply_batch
from engine.services.step_rows import action_row
from engine.services.take_quota import take_quota
from engine.store import ledger, projection
from engine.store.projection import RunGlance, glance

LEASE: Final = timedelta(seconds=15)


class CallIsBusy(Exception):
    """Another attempt holds the call's lease: ask again later."""


@dataclass(frozen=True, slots=True)
class Reserved:
    invocation_id: str
    token: str


class Opening:
    """The first transaction. What it gives back: the claim, or how the attempt has ended."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._call = attempt.call
        self._now = attempt.services.now()
        self._token = uuid4().hex

    def open(self) -> Reserved | ActionAnswer | StepFailed:
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

    def _claim(self, session: Session, view: RunGlance) -> Reserved | ActionAnswer | StepFailed:
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
            if self._has_failed_for_good(entry):
                return self._tell_again(session, entry)
            if not self._may_take_over(entry):
                return self._give_up(session, entry)
            invocation_id = entry.invocation_id
            ledger.take_over(session, invocation_id, self._token, expires_at, self._now)
        row = action_row(session, self._call, StepStatus.STARTED, self._now)
        projection.write_steps(session, [row])
        return Reserved(invocation_id, self._token)

    def _has_failed_for_good(self, entry: ledger.Entry) -> bool:
        """This very call, which must not be repeated: Temporal asks again, as the answer was lost.

        Whether it took effect before it failed, nobody knows.
        """
        failed = entry.status == InvocationStatus.FAILED
        return failed and self._is_own(entry) and not self._attempt.may_repeat

    def _may_take_over(self, entry: ledger.Entry) -> bool:
        """A call that has not succeeded. Raises `CallIsBusy` while its holder may live.

        What this very call left behind is taken at once where it may be repeated: Temporal starts
        an attempt only when it has given up the one before.
        """
        if entry.status == InvocationStatus.FAILED:
            return True
        if self._is_own(entry) and self._attempt.may_repeat:
            return True
        if self._is_held(entry):
            raise CallIsBusy("another attempt of this call holds its lease")
        return self._attempt.may_repeat

    def _is_own(self, entry: ledger.Entry) -> bool:
        call = self._call
        return (entry.run_id, entry.occurrence) == (call.run_id, call_of(call).occurrence)

    def _is_held(self, entry: ledger.Entry) -> bool:
        """One that ends further ahead than anybody would set it came from a wrong clock: its holder
        is given up by Temporal, and if it lives it cannot close what was taken from it."""
        ends = entry.lease_expires_at
        return ends is not None and self._now < ends <= self._now + 2 * LEASE

    def _tell_again(self, session: Session, entry: ledger.Entry) -> StepFailed:
        failed = StepFailed.from_data(entry.error or {})
        write_failure(session, self._call, failed, self._now, self._attempt.recorder.took_ms)
        return failed

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
