"""Execute one attempt of an action step, and record it (rules.md 3).

Three forms. An action on our own database works inside the transaction that records it: exactly
once. Another quick one that may be repeated is recorded in one transaction after it. All others,
and any where a quota is configured, in two: see `reserve_action`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from engine.actions.perform import prepare
from engine.contract import REFERENCE_KEY, ActionAnswer, ActionCall, Json
from engine.errors import Category, NotFound, StepFailed
from engine.runs.status import InvocationStatus
from engine.services.action_attempt import ActionTools, Attempt, DoneBefore, Recorder
from engine.services.action_outcome import (
    CANCELLED_UNDER_WAY,
    RunLog,
    answer,
    call_of,
    outcome_unknown,
    stored_input,
    write_success,
)
from engine.services.attempt import Pulse, Stop, Stopped, Watch, run_watched, timed_out
from engine.services.context import Services
from engine.services.record_progress import apply_batch
from engine.services.reserve_action import perform_reserved
from engine.services.values import fit, load_value
from engine.store import ledger
from engine.store.projection import RunGlance


class _QuotaApplies(Exception):
    """A quota is configured: counted after the effect it could not pause before it."""


def perform_action(
    services: Services, tools: ActionTools, call: ActionCall, pulse: Pulse
) -> ActionAnswer:
    """The attempt's answer.

    Raises `StepFailed` for what the author may handle, once it is written; `RunOver`; `Stopped`
    for an attempt that was given up. Anything else is infrastructure: the same call is made again.
    """
    recorder = Recorder(services, call, RunLog(call))
    secrets = tools.secrets.opened()
    try:
        action = tools.registry.get(call.action, call.version)
        prepared = prepare(action, _input(services, call), secrets)
    except StepFailed as failed:
        return recorder.fail(secrets.mask_error(failed))
    attempt = Attempt(recorder, action, prepared, secrets, pulse)
    if not (call.quick and action.quick and action.repeatable is True):
        return perform_reserved(attempt)
    try:
        return _perform_quick(attempt)
    except _QuotaApplies:
        recorder.log.lines.clear()
        return perform_reserved(attempt)


def _input(services: Services, call: ActionCall) -> Json:
    """Raises ActionError for one that was stored and is gone."""
    if not call.input_by_reference:
        return call.input
    try:
        return load_value(services, call.input[REFERENCE_KEY])
    except NotFound as gone:
        raise StepFailed(Category.ACTION, gone.message, code="VALUE_GONE") from gone


def _perform_quick(attempt: Attempt) -> ActionAnswer:
    try:
        if attempt.action.in_transaction:
            return _perform_inside(attempt)
        return _perform_before(attempt)
    except DoneBefore:
        return attempt.recorder.repeat_success()
    except StepFailed as failed:
        return attempt.recorder.fail(failed)
    except Stopped as stopped:
        if stopped.why is not Stop.REQUESTED:
            raise
        return attempt.recorder.cancel(outcome_unknown(CANCELLED_UNDER_WAY))


def _perform_inside(attempt: Attempt) -> ActionAnswer:
    """Work and record in one transaction: what a repetition did is rolled back with it."""
    now = attempt.services.now()
    with attempt.services.store.writing() as session:
        view = _look(session, attempt, now)
        output = _in_time(attempt, lambda: _run_inside(attempt, session, now))
        return _record_success(session, attempt, view, output)


def _run_inside(attempt: Attempt, session: Session, now: datetime) -> Json:
    """What the database refuses for its content is the action's failure, not our database's."""
    try:
        return attempt.run(now, session=session)
    except (DataError, IntegrityError) as error:
        raise StepFailed(
            Category.ACTION,
            f"{attempt.action.name} failed: the database refused the data.",
            code="REFUSED_BY_DATABASE",
        ) from error


def _in_time(attempt: Attempt, work: Callable[[], Json]) -> Json:
    began = time.monotonic()
    output = work()
    if (time.monotonic() - began) * 1000 > attempt.call.timeout_ms:
        raise timed_out(attempt.call.timeout_ms)
    return output


def _perform_before(attempt: Attempt) -> ActionAnswer:
    """Do the work, then record it in one transaction; not again what the ledger has."""
    services, call = attempt.services, attempt.call
    now = services.now()
    with services.store.reading() as session:
        _look(session, attempt, now)
        done = ledger.find(session, call_of(call))
    if done is not None and done.status == InvocationStatus.SUCCEEDED:
        raise DoneBefore
    watch = Watch(attempt.pulse, call.timeout_ms, may_repeat=True)
    output = run_watched(lambda: attempt.run(now, cancelled=watch.cancelled.is_set), watch)
    with services.store.writing() as session:
        return _record_success(session, attempt, _look(session, attempt, now), output)


def _look(session: Session, attempt: Attempt, now: datetime) -> RunGlance:
    view = attempt.recorder.look(session, now)
    if view.quota_limit is not None:
        raise _QuotaApplies
    return view


def _record_success(
    session: Session, attempt: Attempt, view: RunGlance, output: Json
) -> ActionAnswer:
    call, recorder, now = attempt.call, attempt.recorder, attempt.services.now()
    fitted = fit(session, call.run_id, output, now)
    if not ledger.note_outcome(
        session,
        call_of(call),
        InvocationStatus.SUCCEEDED,
        now,
        started_at=now,
        input=stored_input(session, call, now),
        output=fitted.value,
    ):
        raise DoneBefore
    apply_batch(session, call.batch, view, now)
    recorder.log.write(session)
    write_success(session, call, fitted, now, recorder.took_ms)
    return answer(fitted, recorder.took_ms, cancel_requested=view.cancel_requested)
