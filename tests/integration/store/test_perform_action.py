"""Executing an attempt of an action, on both databases (rules.md 3 and 4)."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from engine.actions.action import ActionContext
from engine.contract import ActionAnswer, ActionCall
from engine.errors import Category, RunOver, StepFailed
from engine.runs.status import InvocationStatus, StepStatus
from engine.services import reserve_action
from engine.services.attempt import Stop, Stopped
from engine.services.context import Services
from engine.services.perform_action import perform_action
from engine.services.reserve_action import CallIsBusy, LeaseLost
from engine.store import key_values
from engine.store.key_values import Place, Written
from engine.store.session import Store
from engine.store.tables import (
    StoredValue,
    WorkflowActionInvocation,
    WorkflowRun,
    WorkflowRunLog,
    WorkflowRunStep,
    WorkflowStepUsagePeriod,
)
from tests import builders
from tests.attempts import Anything, Calls, FakePulse, action, batch, call, guard, record, tools
from tests.builders import NOW

QUICK: dict[str, Any] = {"quick": True, "repeatable": True}
INSIDE: dict[str, Any] = {**QUICK, "in_transaction": True}


@pytest.fixture
def run(store: Store) -> WorkflowRun:
    of, _ = builders.published(store)
    started = builders.run(of)
    builders.save(store, started)
    return started


@pytest.fixture
def services(store: Store) -> Services:
    return builders.services(store)


def step_row(store: Store, run: WorkflowRun, **where: Any) -> WorkflowRunStep:
    return rows(store, WorkflowRunStep, run_id=run.run_id, **where)[0]


def rows(store: Store, table: Any, **where: Any) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(select(table).filter_by(**where)))


def invocation(store: Store) -> WorkflowActionInvocation:
    [row] = rows(store, WorkflowActionInvocation)
    return row


def add_one(given: Anything, context: ActionContext) -> dict[str, Any]:
    """Not repeatable by nature: only a rollback or the ledger can make it happen once."""
    session, place = context.database(), Place("test", "count")
    stored = key_values.lock_or_create(session, place, 1, Written(context.run_id, context.now))
    value = 1 if stored.revision == 1 else stored.value + 1
    key_values.overwrite(session, place, value)
    return {"value": value}


def counted(store: Store) -> Any:
    with store.reading() as session:
        stored = key_values.get(session, Place("test", "count"))
    return None if stored is None else stored.value


FORMS = [
    pytest.param({}, False, id="in two transactions"),
    pytest.param(QUICK, True, id="recorded after it"),
]


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_a_success_is_in_the_ledger_and_in_the_timeline(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    note = Calls()
    wanted = call(run, quick=quick, input={"value": 7}, name="Note it")

    answer = perform_action(services, tools(action(note, **nature)), wanted, FakePulse())

    assert answer.output == {"text": "", "value": 7}
    row = step_row(services.store, run)
    assert (row.status, row.rank, row.output_json) == ("SUCCEEDED", 3, {"text": "", "value": 7})
    assert (row.input_json, row.kind, row.name) == ({"value": 7}, "action.call", "Note it")
    assert row.completed_at is not None
    entry = invocation(services.store)
    assert (entry.status, entry.output_json) == ("SUCCEEDED", {"text": "", "value": 7})
    assert note.seen[0].idempotency_key == entry.idempotency_key


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_a_call_that_succeeded_is_not_made_again(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    note = Calls(lambda given, _: {"value": len(note.seen)})
    known = tools(action(note, **nature))
    perform_action(services, known, call(run, quick=quick), FakePulse())

    again = perform_action(services, known, call(run, quick=quick), FakePulse())

    assert again.output == {"text": "", "value": 1}
    assert len(note.seen) == 1


def test_work_inside_the_transaction_happens_once_however_often_it_is_called(
    services: Services, run: WorkflowRun
) -> None:
    known = tools(action(add_one, **INSIDE))
    answers = [
        perform_action(services, known, call(run, quick=True), FakePulse()) for _ in range(3)
    ]

    assert [answer.output["value"] for answer in answers] == [1, 1, 1]
    assert counted(services.store) == 1


def test_two_workers_that_do_the_same_call_at_once_do_it_once(
    services: Services, run: WorkflowRun
) -> None:
    both = threading.Barrier(2, timeout=5)
    on_postgres = services.store.engine.dialect.name == "postgresql"

    def slowly(given: Anything, context: ActionContext) -> dict[str, Any]:
        if on_postgres and not both.broken:
            both.wait()
        return add_one(given, context)

    known = tools(action(slowly, **INSIDE))
    answers: list[ActionAnswer] = []

    def attempt() -> None:
        answers.append(perform_action(services, known, call(run, quick=True), FakePulse()))

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [answer.output["value"] for answer in answers] == [1, 1]
    assert counted(services.store) == 1


def test_a_repetition_that_fails_after_a_success_is_a_success(
    services: Services, run: WorkflowRun
) -> None:
    """As `store.set` with an expected revision does: its first execution has raised it."""

    def once(given: Anything, context: ActionContext) -> dict[str, Any]:
        if counted(services.store):
            raise StepFailed(Category.ACTION, "the revision is another one")
        return add_one(given, context)

    known = tools(action(once, **INSIDE))
    perform_action(services, known, call(run, quick=True), FakePulse())

    again = perform_action(services, known, call(run, quick=True), FakePulse())

    assert again.output["value"] == 1
    assert step_row(services.store, run).status == StepStatus.SUCCEEDED


def test_a_failure_inside_the_transaction_leaves_nothing_of_the_work(
    services: Services, run: WorkflowRun
) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        add_one(given, context)
        raise StepFailed(Category.ACTION, "no", code="NO", details={"a": 1})

    with pytest.raises(StepFailed):
        perform_action(services, tools(action(fails, **INSIDE)), call(run, quick=True), FakePulse())

    assert counted(services.store) is None
    row = step_row(services.store, run)
    assert row.status == StepStatus.FAILED
    assert row.error_json["category"] == "ActionError"
    assert (row.error_json["code"], row.error_json["details"]) == ("NO", {"a": 1})
    assert (row.error_json["nodePath"], row.error_json["iter"]) == ("root.steps[0]", [])
    assert invocation(services.store).status == InvocationStatus.FAILED


def test_a_database_that_is_away_is_no_failure_of_the_action(
    services: Services, run: WorkflowRun
) -> None:
    def lost(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise OperationalError("SELECT 1", {}, Exception("connection lost"))

    with pytest.raises(OperationalError):
        perform_action(services, tools(action(lost, **INSIDE)), call(run, quick=True), FakePulse())

    assert rows(services.store, WorkflowRunStep) == []


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_an_attempt_that_will_be_repeated_says_when(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise StepFailed(Category.TRANSIENT, "later")

    retry = {"maxAttempts": 2, "backoffMs": 1000, "jitter": False}
    known = tools(action(fails, **nature))
    with pytest.raises(StepFailed):
        perform_action(services, known, call(run, quick=quick, retry=retry), FakePulse())
    with pytest.raises(StepFailed):
        perform_action(services, known, call(run, quick=quick, retry=retry, attempt=2), FakePulse())

    first, second = step_row(services.store, run), step_row(services.store, run, attempt=2)
    assert first.status == StepStatus.RETRY_SCHEDULED
    assert first.next_retry_at == NOW + timedelta(seconds=1)
    assert (second.status, second.next_retry_at) == (StepStatus.FAILED, None)
    assert invocation(services.store).attempt == 2


def test_a_failure_that_somebody_handles_says_so(services: Services, run: WorkflowRun) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise StepFailed(Category.ACTION, "no")

    with pytest.raises(StepFailed):
        perform_action(
            services, tools(action(fails)), call(run, handled_by="continue"), FakePulse()
        )

    assert step_row(services.store, run).handled


def test_a_retry_after_a_failure_is_made_with_the_same_key(
    services: Services, run: WorkflowRun
) -> None:
    def second_time(given: Anything, context: ActionContext) -> dict[str, Any]:
        if context.attempt == 1:
            raise StepFailed(Category.TRANSIENT, "later")
        return {"value": "done"}

    note = Calls(second_time)
    known = tools(action(note))
    retry = {"maxAttempts": 2, "backoffMs": 0}
    with pytest.raises(StepFailed):
        perform_action(services, known, call(run, retry=retry), FakePulse())
    answer = perform_action(services, known, call(run, retry=retry, attempt=2), FakePulse())

    assert answer.output["value"] == "done"
    assert note.seen[0].idempotency_key == note.seen[1].idempotency_key
    entry = invocation(services.store)
    assert (entry.status, entry.attempt, entry.error_json) == ("SUCCEEDED", 2, None)


def test_each_iteration_of_a_loop_is_a_call_of_its_own(
    services: Services, run: WorkflowRun
) -> None:
    known = tools(action(add_one, **INSIDE))
    values = [
        perform_action(services, known, call(run, quick=True, iter=[i]), FakePulse()).output
        for i in range(3)
    ]

    assert [value["value"] for value in values] == [1, 2, 3]


def test_the_authors_key_holds_for_every_run(services: Services, run: WorkflowRun) -> None:
    of = builders.definition()
    other = builders.run(of)
    builders.save(services.store, of, other)
    note = Calls()
    known = tools(action(note))
    perform_action(
        services, known, call(run, idempotency_key="order-5", input={"value": 1}), FakePulse()
    )

    answer = perform_action(
        services, known, call(other, idempotency_key="order-5", input={"value": 2}), FakePulse()
    )

    assert answer.output["value"] == 1
    assert [seen.idempotency_key for seen in note.seen] == ["order-5"]


def begun_and_lost(services: Services, wanted: ActionCall, **nature: Any) -> None:
    """A worker dies in the action: what it wrote before is all there is."""

    def dies(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise SystemExit

    with pytest.raises(SystemExit):
        perform_action(services, tools(action(dies, **nature)), wanted, FakePulse())


def after_the_lease(services: Services) -> Services:
    return replace(services, now=lambda: NOW + timedelta(seconds=31))


def test_a_lost_action_that_must_not_be_repeated_ends_with_outcome_unknown(
    services: Services, run: WorkflowRun
) -> None:
    begun_and_lost(services, call(run))
    note = Calls()

    with pytest.raises(StepFailed) as raised:
        perform_action(after_the_lease(services), tools(action(note)), call(run), FakePulse())

    assert raised.value.category is Category.OUTCOME_UNKNOWN
    assert note.seen == []
    row = step_row(services.store, run)
    assert (row.status, row.error_json["category"]) == ("FAILED", "OutcomeUnknown")
    assert invocation(services.store).status == InvocationStatus.FAILED


def test_while_the_lease_of_such_an_action_runs_its_outcome_is_waited_for(
    services: Services, run: WorkflowRun
) -> None:
    begun_and_lost(services, call(run))

    with pytest.raises(CallIsBusy):
        perform_action(services, tools(action(Calls())), call(run), FakePulse())

    assert step_row(services.store, run).status == StepStatus.STARTED


@pytest.mark.parametrize(
    ("nature", "consent"),
    [
        pytest.param({"repeatable": True}, {}, id="repeatable"),
        pytest.param({}, {"retry": {"maxAttempts": 2, "backoffMs": 0}}, id="retry policy"),
    ],
)
def test_a_lost_action_is_repeated_at_once_where_it_may_be(
    services: Services, run: WorkflowRun, nature: dict[str, Any], consent: dict[str, Any]
) -> None:
    begun_and_lost(services, call(run, **consent), **nature)

    answer = perform_action(
        services, tools(action(Calls(), **nature)), call(run, **consent), FakePulse()
    )

    assert answer.output is not None
    assert step_row(services.store, run).status == StepStatus.SUCCEEDED


def test_who_lost_the_lease_does_not_close_the_call(services: Services, run: WorkflowRun) -> None:
    nature = {"repeatable": True}

    def overtaken(given: Anything, context: ActionContext) -> dict[str, Any]:
        perform_action(
            services,
            tools(action(lambda *_: {"value": "the other"}, **nature)),
            call(run),
            FakePulse(),
        )
        return {"value": "mine"}

    with pytest.raises(LeaseLost):
        perform_action(services, tools(action(overtaken, **nature)), call(run), FakePulse())

    assert invocation(services.store).output_json["value"] == "the other"
    assert step_row(services.store, run).output_json["value"] == "the other"


def test_the_lease_is_held_while_the_action_runs(
    services: Services, run: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.services.attempt.BEAT_EVERY_S", 0.05)
    monkeypatch.setattr(reserve_action, "_EXTEND_EVERY", timedelta(0))
    clock = {"now": NOW}
    moving = replace(services, now=lambda: clock["now"])
    expiries = []

    def watches(given: Anything, context: ActionContext) -> dict[str, Any]:
        expiries.append(invocation(services.store).lease_expires_at)
        clock["now"] = NOW + timedelta(seconds=25)
        deadline = time.monotonic() + 5
        while invocation(services.store).lease_expires_at == expiries[0]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        expiries.append(invocation(services.store).lease_expires_at)
        return {}

    pulse = FakePulse()
    perform_action(moving, tools(action(watches)), call(run), pulse)

    assert expiries == [NOW + timedelta(seconds=30), NOW + timedelta(seconds=55)]
    assert pulse.beats > 0


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_code_that_hangs_is_given_up_when_its_time_is_over(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    free = threading.Event()
    began = time.monotonic()
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(lambda *_: free.wait(20) and {}, **nature)),
            call(run, quick=quick, timeout_ms=300),
            FakePulse(),
        )
    free.set()

    assert raised.value.category is Category.TIMEOUT
    assert raised.value.details == {"timeoutMs": 300}
    assert time.monotonic() - began < 3
    assert step_row(services.store, run).error_json["category"] == "TimeoutError"


def test_an_action_that_heeds_a_cancel_is_canceled(services: Services, run: WorkflowRun) -> None:
    def heeds(given: Anything, context: ActionContext) -> dict[str, Any]:
        while True:
            context.raise_if_cancelled()
            time.sleep(0.02)

    with pytest.raises(StepFailed) as raised:
        perform_action(services, tools(action(heeds)), call(run), FakePulse(Stop.REQUESTED))

    assert raised.value.category is Category.CANCELLATION
    assert step_row(services.store, run).status == StepStatus.CANCELED


def test_an_action_that_does_not_is_given_up_with_its_outcome_unknown(
    services: Services, run: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.services.attempt.LONG_GRACE_S", 0.3)
    free = threading.Event()
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(lambda *_: free.wait(20) and {})),
            call(run),
            FakePulse(Stop.REQUESTED),
        )
    free.set()

    assert raised.value.category is Category.OUTCOME_UNKNOWN
    row = step_row(services.store, run)
    assert (row.status, row.error_json["category"]) == ("CANCELED", "OutcomeUnknown")
    assert invocation(services.store).status == InvocationStatus.FAILED


def test_an_outcome_that_comes_while_the_cancel_waits_is_the_truth(
    services: Services, run: WorkflowRun
) -> None:
    def ends(given: Anything, context: ActionContext) -> dict[str, Any]:
        while not context.cancelled():
            time.sleep(0.02)
        return {"value": "sent"}

    answer = perform_action(services, tools(action(ends)), call(run), FakePulse(Stop.REQUESTED))

    assert answer.output["value"] == "sent"
    assert step_row(services.store, run).status == StepStatus.SUCCEEDED


def test_a_worker_that_leaves_hands_a_repeatable_action_over(
    services: Services, run: WorkflowRun
) -> None:
    nature = {"repeatable": True}
    free = threading.Event()
    with pytest.raises(Stopped):
        perform_action(
            services,
            tools(action(lambda *_: free.wait(20) and {}, **nature)),
            call(run),
            FakePulse(Stop.LEAVING),
        )
    free.set()

    assert invocation(services.store).lease_expires_at == NOW
    assert step_row(services.store, run).status == StepStatus.STARTED


def test_a_worker_that_leaves_ends_what_must_not_be_repeated(
    services: Services, run: WorkflowRun
) -> None:
    def takes_a_moment(given: Anything, context: ActionContext) -> dict[str, Any]:
        time.sleep(0.5)
        return {"value": not context.cancelled()}

    answer = perform_action(
        services, tools(action(takes_a_moment)), call(run), FakePulse(Stop.LEAVING)
    )

    assert answer.output["value"] is True


def test_work_inside_the_transaction_of_a_run_that_is_over_is_undone(
    services: Services, run: WorkflowRun
) -> None:
    end(services.store, run)

    with pytest.raises(RunOver):
        perform_action(
            services, tools(action(add_one, **INSIDE)), call(run, quick=True), FakePulse()
        )

    assert counted(services.store) is None
    assert rows(services.store, WorkflowRunStep) == []


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_nothing_is_executed_for_a_run_that_is_over(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    end(services.store, run)
    note = Calls()

    with pytest.raises(RunOver):
        perform_action(services, tools(action(note, **nature)), call(run, quick=quick), FakePulse())

    assert note.seen == []
    assert rows(services.store, WorkflowRunStep) == []


def test_an_effect_whose_run_ended_meanwhile_is_in_the_ledger_only(
    services: Services, run: WorkflowRun
) -> None:
    def ends_it(given: Anything, context: ActionContext) -> dict[str, Any]:
        end(services.store, run)
        return {"value": 1}

    with pytest.raises(RunOver):
        perform_action(services, tools(action(ends_it)), call(run), FakePulse())

    assert invocation(services.store).status == InvocationStatus.SUCCEEDED
    assert step_row(services.store, run).status == StepStatus.STARTED


def end(store: Store, run: WorkflowRun) -> None:
    with store.writing() as session:
        session.execute(
            update(WorkflowRun)
            .where(WorkflowRun.run_id == run.run_id)
            .values(status="CANCELED", completed_at=NOW)
        )


@pytest.mark.parametrize(("nature", "quick"), [*FORMS, pytest.param(INSIDE, True, id="inside")])
def test_a_requested_cancel_asks_for_a_boundary(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    known = tools(action(Calls(), **nature))
    before = perform_action(services, known, call(run, quick=quick), FakePulse())
    with services.store.writing() as session:
        session.execute(update(WorkflowRun).values(cancel_requested_at=NOW))

    after = perform_action(services, known, call(run, quick=quick, iter=[1]), FakePulse())

    assert (before.take_boundary, after.take_boundary) == (False, True)


@pytest.mark.parametrize(("nature", "quick"), [*FORMS, pytest.param(INSIDE, True, id="inside")])
def test_what_the_interpreter_did_before_is_written_with_the_action(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    earlier = record(path="root.steps[9]", step_id="assign", output={"a": 1})
    wanted = call(run, quick=quick, batch=batch(run, earlier), position=2)

    perform_action(services, tools(action(Calls(), **nature)), wanted, FakePulse())

    written = rows(services.store, WorkflowRunStep, step_path="root.steps[9]")
    assert [(row.status, row.output_json) for row in written] == [("SUCCEEDED", {"a": 1})]


def test_a_quick_step_does_not_touch_the_runs_own_row(services: Services, run: WorkflowRun) -> None:
    later = replace(services, now=lambda: NOW + timedelta(seconds=9))
    perform_action(later, tools(action(Calls(), **QUICK)), call(run, quick=True), FakePulse())

    [row] = rows(services.store, WorkflowRun, run_id=run.run_id)
    assert row.updated_at == NOW


def test_a_secret_is_opened_in_the_action_only_and_its_echo_is_masked(
    services: Services, run: WorkflowRun
) -> None:
    def echoes(given: Anything, context: ActionContext) -> dict[str, Any]:
        context.log("INFO", f"using {given.text}", {"with": given.text})
        return {"text": f"Bearer {given.text}", "value": [given.text]}

    wanted = call(run, input={"text": {"$secret": "API_KEY"}})
    answer = perform_action(
        services, tools(action(echoes), API_KEY="s3cr3t-value"), wanted, FakePulse()
    )

    assert answer.output == {"text": "Bearer [REDACTED]", "value": ["[REDACTED]"]}
    assert step_row(services.store, run).input_json == {"text": {"$secret": "API_KEY"}}
    stored = [
        *(vars(row) for row in rows(services.store, WorkflowRunStep)),
        *(vars(row) for row in rows(services.store, WorkflowActionInvocation)),
        *(vars(row) for row in rows(services.store, WorkflowRunLog)),
    ]
    assert len(stored) == 3
    assert "s3cr3t-value" not in str(stored)


def test_a_missing_secret_fails_the_step(services: Services, run: WorkflowRun) -> None:
    note = Calls()
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(note)),
            call(run, input={"text": {"$secret": "NOT_THERE"}}),
            FakePulse(),
        )

    assert (raised.value.category, raised.value.code) == (Category.ACTION, "SECRET_NOT_FOUND")
    assert note.seen == []
    assert step_row(services.store, run).status == StepStatus.FAILED


def test_an_input_that_does_not_fit_the_schema_fails_the_step(
    services: Services, run: WorkflowRun
) -> None:
    with pytest.raises(StepFailed) as raised:
        perform_action(services, tools(action(Calls())), call(run, input={"other": 1}), FakePulse())

    assert raised.value.category is Category.VALIDATION
    assert step_row(services.store, run).error_json["category"] == "ValidationError"


def test_an_action_that_this_worker_does_not_have_fails_the_step(
    services: Services, run: WorkflowRun
) -> None:
    with pytest.raises(StepFailed) as raised:
        perform_action(services, tools(), call(run), FakePulse())

    assert raised.value.code == "UNKNOWN_ACTION"
    assert step_row(services.store, run).status == StepStatus.FAILED


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_a_large_output_is_stored_once_and_passed_by_reference(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    large = "x" * 100_000
    known = tools(action(lambda *_: {"text": large}, **nature))

    answer = perform_action(services, known, call(run, quick=quick), FakePulse())
    again = perform_action(services, known, call(run, quick=quick), FakePulse())

    assert answer.by_reference
    assert answer.bytes < 300
    assert again == replace(answer, took_ms=again.took_ms)
    [value] = rows(services.store, StoredValue)
    assert value.value_json == {"text": large, "value": None}
    assert answer.output == {"$ref": value.value_id, "bytes": value.size_bytes}
    assert step_row(services.store, run).output_json == answer.output


def test_an_output_that_looks_like_a_reference_is_none(
    services: Services, run: WorkflowRun
) -> None:
    alike = {"$ref": "somewhere", "bytes": 3}
    answer = perform_action(
        services, tools(action(lambda *_: {"value": alike})), call(run), FakePulse()
    )

    assert answer.output["value"] == alike
    assert not answer.by_reference


def test_an_output_above_4_mib_is_an_action_error(services: Services, run: WorkflowRun) -> None:
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(lambda *_: {"text": "x" * 4_200_000})),
            call(run),
            FakePulse(),
        )

    assert raised.value.code == "OUTPUT_TOO_LARGE"


def test_what_an_action_logs_is_written_with_its_row(services: Services, run: WorkflowRun) -> None:
    def logs(given: Anything, context: ActionContext) -> dict[str, Any]:
        context.log("WARN", "look\x00here", {"a": 1})
        return {}

    perform_action(services, tools(action(logs, **INSIDE)), call(run, quick=True), FakePulse())

    [line] = rows(services.store, WorkflowRunLog)
    assert (line.level, line.message, line.context_json) == ("WARN", "look\ufffdhere", {"a": 1})
    assert line.step_id == step_row(services.store, run).step_id


def test_texts_that_postgresql_refuses_do_not_stop_a_failure_from_being_written(
    services: Services, run: WorkflowRun
) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise StepFailed(Category.ACTION, "bad\x00word", details={"half": "\ud800", "n": [1]})

    with pytest.raises(StepFailed):
        perform_action(services, tools(action(fails)), call(run), FakePulse())

    error = step_row(services.store, run).error_json
    assert (error["message"], error["details"]) == ("bad\ufffdword", {"half": "\ufffd", "n": [1]})


class TestQuota:
    @pytest.fixture
    def limited(self, services: Services) -> Services:
        builders.save(
            services.store,
            WorkflowStepUsagePeriod(
                period_start=NOW - timedelta(days=1),
                period_end=NOW + timedelta(days=1),
                period_source="fallback_calendar",
                effective_limit=2,
                used_count=0,
                created_at=NOW,
                updated_at=NOW,
            ),
        )
        return services

    def test_a_quick_action_is_counted_before_its_effect(
        self, limited: Services, run: WorkflowRun
    ) -> None:
        note = Calls()
        known = tools(action(note, **QUICK))
        answers = [
            perform_action(limited, known, call(run, quick=True, iter=[i]), FakePulse())
            for i in range(3)
        ]

        assert len(note.seen) == 2
        assert answers[2].quota is not None
        assert answers[2].quota["usedCount"] == answers[2].quota["limit"] == 2
        assert len(rows(limited.store, WorkflowRunStep)) == 2

    def test_an_attempt_that_was_counted_and_lost_is_not_counted_again(
        self, limited: Services, run: WorkflowRun
    ) -> None:
        begun_and_lost(limited, call(run), repeatable=True)
        perform_action(limited, tools(action(Calls(), repeatable=True)), call(run), FakePulse())

        [period] = rows(limited.store, WorkflowStepUsagePeriod)
        assert period.used_count == 1


def test_rows_of_a_lost_task_are_superseded_and_those_that_come_again_are_not(
    services: Services, run: WorkflowRun
) -> None:
    known = tools(action(Calls(), **QUICK))
    lost = batch(run, guard=guard(history=9, completed=3), first_position=1)
    perform_action(services, known, call(run, quick=True), FakePulse())
    for index in (1, 2):
        wanted = call(run, quick=True, iter=[index], position=index + 1, batch=lost)
        perform_action(services, known, wanted, FakePulse())

    again = batch(run, guard=guard(history=12, completed=3), first_position=1)
    wanted = call(run, quick=True, iter=[1], position=2, batch=again)
    perform_action(services, known, wanted, FakePulse())

    by_iter = {tuple(row.iter): row.superseded for row in rows(services.store, WorkflowRunStep)}
    assert by_iter == {(): False, (1,): False, (2,): True}
