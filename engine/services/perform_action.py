"""Execute one attempt of an action step, and record it (docs/rules.md 3).

Three forms. An action on our own database works inside the transaction that records it: exactly
once. Another quick one that may be repeated is recorded in one transaction after it. All others,
and any where a quota is configured, in two: see `reserve_action`.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.actions.perform import prepare
from engine.contract import REFERENCE_KEY, ActionAnswer, ActionCall, Json
from engine.errors import Category, NotFound, StepFailed
from engine.runs.status import InvocationStatus, RunStatus
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
from engine.services.attempt import Pulse, Stop, Stopped, Watch, run_watched
from engine.services.context import Services
from engine.services.record_progress import apply_batch
from engine.services.reserve_action import perform_reserved
from engine.services.values import fit, load_value
from engine.store import ledger
from engine.store.projection import RunGlance


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
    attempt = Attempt(
        recorder, action, prepared, secrets, pulse, counted=tools.quota.applies(services)
    )
    if call.quick and action.quick and action.repeatable is True and not attempt.counted:
        return _perform_quick(attempt)
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
        return _record_success(session, attempt, attempt.run_inside(now, session))


def _perform_before(attempt: Attempt) -> ActionAnswer:
    """Do the work, then record it in one transaction."""
    services, call = attempt.services, attempt.call
    if _may_be_done(attempt):
        _look_before(attempt)
    now = services.now()
    watch = Watch(attempt.pulse, call.timeout_ms, may_repeat=True)
    output = run_watched(lambda: attempt.run(now, cancelled=watch.cancelled.is_set), watch)
    with services.store.writing() as session:
        return _record_success(session, attempt, output)


def _may_be_done(attempt: Attempt) -> bool:
    """Can this very call have been made? Asking the ledger each time would cost as much as it."""
    call = attempt.call
    return (
        call.batch.sweep
        or call.batch.repeated
        or call.idempotency_key is not None
        or attempt.pulse.tried_before()
    )


def _look_before(attempt: Attempt) -> None:
    """Raises `DoneBefore`, and `RunOver`: what is not to be recorded need not be done."""
    with attempt.services.store.reading() as session:
        attempt.recorder.look(session)
        done = ledger.find(session, call_of(attempt.call))
    if done is not None and done.status == InvocationStatus.SUCCEEDED:
        raise DoneBefore


def _record_success(session: Session, attempt: Attempt, output: Json) -> ActionAnswer:
    """Raises `RunOver`, and `DoneBefore` where the ledger has a success: all is rolled back."""
    call, recorder, now = attempt.call, attempt.recorder, attempt.services.now()
    view = recorder.look(session) if recorder.must_look else None
    fitted = fit(session, call.run_id, output, now)
    noted = ledger.note_outcome(
        session,
        call_of(call),
        InvocationStatus.SUCCEEDED,
        now,
        started_at=now,
        input=stored_input(session, call, now),
        output=fitted.value,
    )
    if noted is None:
        recorder.look(session)
        raise DoneBefore
    view = view or RunGlance(RunStatus.RUNNING, noted.cancel_requested, lost_rows=False)
    apply_batch(session, call.batch, view, now)
    recorder.log.write(session)
    write_success(session, call, fitted, now, recorder.took_ms)
    return answer(fitted, view)
