"""human.task on a real Temporal: answered once, by an update that may be refused (rules.md 7)."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from engine.contract_waits import ANSWER_DOES_NOT_FIT, UPDATE_ANSWER_TASK, TaskAnswer
from engine.durable.wire import pack
from engine.errors import Conflict, Invalid, RunStudioError
from engine.services.answer_task import AnswerReceipt, AnswerState
from engine.services.context import Actor
from engine.services.find_waits import find_task, list_open_waits
from engine.services.redact_run import Rules
from engine.services.task_types import define_task_type
from engine.store.tasks import WorkflowHumanTask
from tests import builders
from tests.run_cases import SOMEBODY
from tests.steps import assign, chain, expr, try_catch
from tests.studio import Studio
from tests.waiting import answer, human_task, open_wait_of

pytestmark = pytest.mark.temporal

_ACCEPTED = "workflow_execution_update_accepted_event_attributes"
_LOCAL = "core_local_activity"
BOB = Actor(email="bob@example.com")


def task_of(studio: Studio, task_id: str) -> WorkflowHumanTask:
    with studio.store.reading() as session:
        return session.get_one(WorkflowHumanTask, task_id)


def written(studio: Studio, run_id: str, step_id: str) -> Any:
    (step,) = studio.steps(run_id, definition_step_id=step_id)
    return step.output_json


def waiting(studio: Studio, *steps: Any, payload: Any = None) -> tuple[str, str]:
    """A run whose task is open: its id, and the task's."""
    run_id = studio.start(studio.publish(*steps), payload)
    return run_id, open_wait_of(studio, run_id)


def test_an_answer_ends_the_task_and_is_in_vars(worked: Studio) -> None:
    """Original 3.11, case 28. Who answered is in the row; the inbox has it while it is open."""
    run_id, task_id = waiting(
        worked,
        human_task(
            "ask",
            title=expr("'Approve ' & payload.what"),
            description=expr("'Please'"),
            contextData={"what": expr("payload.what")},
            assignee="ops",
            dueInMs=60_000,
        ),
        assign("after", ok="vars.event.ok", named="vars.eventName"),
        payload={"what": "it", "password": "hush-hush"},
    )
    with worked.store.reading() as session:
        shown = list_open_waits(session, Rules(), kinds=["human"]).waits
        view = find_task(session, Rules(), task_id)
    listed = next(wait for wait in shown if wait.wait_id == task_id)
    assert (listed.title, listed.assignee, listed.kind) == ("Approve it", "ops", "human")
    assert (view.status, view.context.value, view.description) == ("OPEN", {"what": "it"}, "Please")
    receipt = answer(worked, task_id, {"ok": True})
    run = worked.ended(run_id)

    assert receipt == AnswerReceipt(run_id, task_id, AnswerState.ACCEPTED)
    assert run.status == "SUCCEEDED", run.error_json
    assert written(worked, run_id, "after") == {
        "vars.ok": True,
        "vars.named": "HUMAN_TASK_COMPLETED",
    }
    task = task_of(worked, task_id)
    assert (task.status, task.answered_by, task.answer_json) == (
        "ANSWERED",
        SOMEBODY.email,
        {"ok": True},
    )
    (closed,) = worked.waits(run_id)
    assert (closed.status, closed.wait_type) == ("RESOLVED", "human")


def test_an_answer_is_in_the_history_before_any_row_tells_of_it(worked: Studio) -> None:
    """A worker that died in between would leave a task that is answered here and not in Temporal,
    whose operator may be gone: nobody could answer it any more."""
    run_id, task_id = waiting(worked, human_task("ask"), *chain(1))
    answer(worked, task_id, {"ok": True})
    worked.ended(run_id)

    events = worked.history(run_id).events
    [taken] = [one for one in events if one.HasField(_ACCEPTED)]
    [*_, quick] = [
        one for one in events if one.marker_recorded_event_attributes.marker_name == _LOCAL
    ]
    by = [
        one.event_id
        for one in events
        if one.HasField("workflow_task_completed_event_attributes")
        and taken.event_id < one.event_id < quick.event_id
    ]
    assert by, "the task that took the answer has also told of it"


def test_an_answer_that_does_not_fit_leaves_the_task_open(worked: Studio) -> None:
    """Original 3.11, case 29, whose run failed: here the answer is refused with its faults.

    By the service before anything is sent, and by the workflow itself, without a trace in history.
    """
    run_id, task_id = waiting(worked, human_task("ask"))
    with pytest.raises(Invalid) as refused:
        answer(worked, task_id, {"ok": "yes", "more": 1})
    assert {problem.pointer for problem in refused.value.problems} == {"/ok", "/more"}
    with pytest.raises(Invalid):
        answer(worked, task_id, float("nan"))
    before = worked.events(run_id)
    cause = refusal_of_the_workflow(worked, run_id, TaskAnswer(task_id, {"ok": 5}, "t"))

    assert cause.type == ANSWER_DOES_NOT_FIT
    assert cause.details[0][0]["pointer"] == "/ok"
    assert [e for e in worked.events(run_id)[len(before) :] if "UPDATE" in e] == []
    assert task_of(worked, task_id).status == "OPEN"
    assert worked.run(run_id).status == "WAITING"
    answer(worked, task_id, {"ok": False})
    assert worked.ended(run_id).status == "SUCCEEDED"


def refusal_of_the_workflow(studio: Studio, run_id: str, answer: TaskAnswer) -> Any:
    async def ask(client: Client) -> Any:
        handle = studio.handle(client, run_id)
        try:
            return await handle.execute_update(UPDATE_ANSWER_TASK, pack(answer))
        except WorkflowUpdateFailedError as failed:
            return failed.cause

    return studio.ask(ask)


def test_of_two_answers_at_once_one_is_taken_and_the_other_told_whose(studio: Studio) -> None:
    """Both wait for the worker that comes, so that it gets them in one task."""
    for _ in range(2):
        with studio.worker():
            run_id, task_id = waiting(studio, human_task("ask"))
        said: dict[str, AnswerReceipt | RunStudioError] = {}

        def give(
            actor: Actor, ok: bool, task_id: str = task_id, said: dict[str, Any] = said
        ) -> None:
            try:
                said[str(actor.email)] = answer(studio, task_id, {"ok": ok}, actor=actor)
            except RunStudioError as error:
                said[str(actor.email)] = error

        threads = [
            threading.Thread(target=give, args=(SOMEBODY, True)),
            threading.Thread(target=give, args=(BOB, False)),
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        with studio.worker():
            for thread in threads:
                thread.join()
            studio.ended(run_id)
        (winner,) = [who for who, what in said.items() if isinstance(what, AnswerReceipt)]
        (refused,) = [what for what in said.values() if isinstance(what, RunStudioError)]

        assert isinstance(refused, Conflict)
        assert refused.details["answeredBy"] == winner
        assert winner in refused.message
        assert task_of(studio, task_id).answered_by == winner


def test_the_same_form_again_is_the_same_answer(worked: Studio) -> None:
    run_id, task_id = waiting(worked, human_task("ask"))
    token = builders.new_id()
    first = answer(worked, task_id, {"ok": True}, token)
    again = answer(worked, task_id, {"ok": True}, token)
    worked.ended(run_id)
    late = answer(worked, task_id, {"ok": True}, token)

    assert first == again == late
    with pytest.raises(Conflict) as refused:
        answer(worked, task_id, {"ok": True}, actor=BOB)
    assert refused.value.details["answeredBy"] == SOMEBODY.email


def test_a_time_out_closes_the_task_and_can_be_caught(worked: Studio) -> None:
    run_id, task_id = waiting(
        worked,
        try_catch(
            "careful",
            [human_task("ask", timeoutMs=400)],
            [assign("took", category="error.category")],
        ),
    )
    run = worked.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert written(worked, run_id, "took") == {"vars.category": "TimeoutError"}
    assert task_of(worked, task_id).status == "EXPIRED"
    with pytest.raises(Conflict) as refused:
        answer(worked, task_id, {"ok": True})
    assert refused.value.details["status"] == "EXPIRED"


def test_a_task_has_the_form_that_its_type_had_when_it_was_opened(worked: Studio) -> None:
    kind = f"type-{builders.new_id()[:8]}"
    number = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    define_task_type(worked.services, kind, number, SOMEBODY)
    run_id, task_id = waiting(worked, human_task("ask", taskType=kind))
    define_task_type(worked.services, kind, {"type": "object", "required": ["t"]}, SOMEBODY)
    with pytest.raises(Invalid):
        answer(worked, task_id, {"t": 1})
    answer(worked, task_id, {"n": 1})
    gone = worked.execute(human_task("ask", taskType="nobody-knows-it"))

    assert worked.ended(run_id).status == "SUCCEEDED"
    assert gone.status == "FAILED"
    assert gone.error_json["category"] == "ValidationError"


def test_without_a_worker_an_answer_is_not_confirmed_yet_and_counts_when_one_comes(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never "refused", never "saved" (docs/rules.md 7)."""
    monkeypatch.setattr("engine.gateway.telling.ACCEPT_WITHIN_S", 1.0)
    with studio.worker():
        run_id, task_id = waiting(studio, human_task("ask"))
    receipt = answer(studio, task_id, {"ok": True}, "the-form")

    assert receipt.state is AnswerState.UNCONFIRMED
    assert task_of(studio, task_id).status == "OPEN"
    with studio.worker():
        again = answer(studio, task_id, {"ok": True}, "the-form")
        assert again.state is AnswerState.ACCEPTED
        assert studio.ended(run_id).status == "SUCCEEDED"


def test_temporal_being_away_saves_nothing(studio: Studio) -> None:
    with studio.worker():
        run_id, task_id = waiting(studio, human_task("ask"))
        away = Studio("127.0.0.1:1", studio.store, studio.effects_file)
        try:
            with pytest.raises(RunStudioError) as refused:
                answer(away, task_id, {"ok": True})
        finally:
            away.close()
        assert refused.value.code == "TEMPORAL_UNAVAILABLE"
        assert task_of(studio, task_id).status == "OPEN"
        answer(studio, task_id, {"ok": True})
        assert studio.ended(run_id).status == "SUCCEEDED"
