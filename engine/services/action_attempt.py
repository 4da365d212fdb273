"""One attempt of an action step, prepared, and what its forms of execution share (rules.md 3)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from engine.actions.action import Action, ActionContext
from engine.actions.perform import perform
from engine.actions.registry import Registry
from engine.actions.secrets import OpenedSecrets, Secrets
from engine.contract import ActionAnswer, ActionCall, Json
from engine.errors import Category, RunOver, StepFailed
from engine.runs.status import InvocationStatus
from engine.services.action_outcome import (
    RunLog,
    answer,
    bounded,
    call_of,
    stored_input,
    write_canceled,
    write_failure,
    write_success,
)
from engine.services.attempt import Pulse, timed_out
from engine.services.context import Services
from engine.services.record_progress import apply_batch, asks_for_run_row
from engine.services.take_quota import QuotaLimit
from engine.services.values import Fitted
from engine.store import ledger
from engine.store.projection import RunGlance, glance


@dataclass(frozen=True, slots=True)
class ActionTools:
    """What executing actions needs beside the services: made once by the worker."""

    registry: Registry
    secrets: Secrets
    quota: QuotaLimit = field(default_factory=QuotaLimit)


class DoneBefore(Exception):
    """The ledger has a success of this call: what was done now does not count."""


@dataclass(slots=True)
class Recorder:
    """Writes how an attempt ended, each time in one transaction with the batch it carried."""

    services: Services
    call: ActionCall
    log: RunLog
    began: float = field(default_factory=time.monotonic)

    @property
    def took_ms(self) -> int:
        return round((time.monotonic() - self.began) * 1000)

    @property
    def must_look(self) -> bool:
        """Is there more to be known of the run's row than whether the run is over?"""
        batch = self.call.batch
        return batch.sweep or asks_for_run_row(batch)

    def look(self, session: Session) -> RunGlance:
        """The run's row, locked against its end. Raises `RunOver`."""
        batch = self.call.batch
        view = glance(session, batch, to_write=asks_for_run_row(batch))
        if view.over:
            raise RunOver("The run has ended.")
        return view

    def fail(self, failed: StepFailed) -> ActionAnswer:
        """Write the failure, then raise it; unless the ledger has a success, which counts."""
        failed = bounded(failed)
        if not self._note_failure(failed):
            return self.repeat_success()
        raise failed

    def _note_failure(self, failed: StepFailed) -> bool:
        """False: the ledger has a success of this call."""
        now = self.services.now()
        with self.services.store.writing() as session:
            view = self.look(session)
            noted = ledger.note_outcome(
                session,
                call_of(self.call),
                InvocationStatus.FAILED,
                now,
                started_at=now,
                input=stored_input(session, self.call, now),
                error=failed.as_data(),
            )
            if noted is None:
                return False
            apply_batch(session, self.call.batch, view, now)
            self.log.write(session)
            write_failure(session, self.call, failed, now, self.took_ms)
        return True

    def cancel(self, failed: StepFailed) -> ActionAnswer:
        """Write that the attempt was given up because its run is cancelled, then raise why."""
        now = self.services.now()
        with self.services.store.writing() as session:
            view = self.look(session)
            apply_batch(session, self.call.batch, view, now)
            self.log.write(session)
            write_canceled(session, self.call, failed, now, self.took_ms)
        raise failed

    def repeat_success(self) -> ActionAnswer:
        """The call was made before: its stored output counts, whatever was done now."""
        now = self.services.now()
        with self.services.store.writing() as session:
            view = self.look(session)
            entry = ledger.find(session, call_of(self.call))
            if entry is None:
                raise RuntimeError("a success has left the ledger")
            apply_batch(session, self.call.batch, view, now)
            return self.write_stored(session, entry, view, now)

    def write_stored(
        self, session: Session, entry: ledger.Entry, view: RunGlance, now: datetime
    ) -> ActionAnswer:
        stored = Fitted.from_row(entry.output)
        write_success(session, self.call, stored, now, self.took_ms)
        return answer(stored, view)


@dataclass(slots=True)
class Attempt:
    """An attempt whose action is known and whose input fits it."""

    recorder: Recorder
    action: Action
    input: BaseModel
    secrets: OpenedSecrets
    pulse: Pulse
    counted: bool = False
    """A quota is configured: the attempt must be counted before it has an effect."""

    @property
    def services(self) -> Services:
        return self.recorder.services

    @property
    def call(self) -> ActionCall:
        return self.recorder.call

    @property
    def may_repeat(self) -> bool:
        """By its nature, or because the author gave a retry policy (docs/authoring.md)."""
        return self.call.retry is not None or self.action.may_repeat(self.input)

    def run(
        self,
        now: datetime,
        *,
        session: Session | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Json:
        """The action's output. Raises `StepFailed`, or what its infrastructure raises."""
        call = self.call
        context = ActionContext(
            run_id=call.run_id,
            idempotency_key=call_of(call).key,
            now=now,
            attempt=call.attempt,
            session=session,
            log=self._write_log,
            secret=self.secrets.secret,
            cancelled=cancelled,
            timeout_s=call.timeout_ms / 1000,
        )
        return perform(self.action, self.input, context, self.secrets, may_repeat=self.may_repeat)

    def run_inside(self, now: datetime, session: Session) -> Json:
        """As `run`, for an action that works in the transaction that records it.

        What the database refuses for its content is the action's failure, not our database's.
        """
        began = time.monotonic()
        try:
            output = self.run(now, session=session)
        except (DataError, IntegrityError) as error:
            raise StepFailed(
                Category.ACTION,
                f"{self.action.name} failed: the database refused the data.",
                code="REFUSED_BY_DATABASE",
            ) from error
        if (time.monotonic() - began) * 1000 > self.call.timeout_ms:
            raise timed_out(self.call.timeout_ms)
        return output

    def _write_log(self, level: str, message: str, context: Json) -> None:
        mask = self.secrets.mask
        self.recorder.log.line(self.services.now(), level, str(mask(message)), mask(context))
