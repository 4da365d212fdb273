"""`flask events`, `tasks` and `quota` on a real database, a real Temporal and a real worker."""

from __future__ import annotations

from typing import Any

from tests.integration.commands.conftest import CommandLine
from tests.steps import act, assign, expr
from tests.studio import Studio
from tests.waiting import event_wait, human_task


def run_of(flask: CommandLine, run_id: str) -> Any:
    return flask.json("runs", "show", run_id)


def status(flask: CommandLine, run_id: str) -> str:
    return str(run_of(flask, run_id)["run"]["status"])


def started(flask: CommandLine, key: str, payload: str = "{}") -> str:
    run_id = flask("runs", "start", key, "--payload", payload).stdout.strip()
    Studio.eventually(lambda: status(flask, run_id) == "WAITING")
    return run_id


def test_an_event_goes_on_with_the_run_that_waits_for_it(worked: CommandLine) -> None:
    worked.publish(
        event_wait("paid", "order.paid", "payload.order"),
        assign("after", amount="vars.event.amount"),
        key="waits-for-event",
    )
    run_id = started(worked, "waits-for-event", '{"order": "o-1"}')
    missed = worked.json("events", "send", "order.paid", "--key", "o-2")
    sent = worked.json(
        *("events", "send", "order.paid", "--key", "o-1", "--payload", '{"amount": 12}'),
        *("--id", "pay-1"),
    )
    Studio.eventually(lambda: status(worked, run_id) == "SUCCEEDED")
    again = worked.json("events", "send", "order.paid", "--key", "o-1", "--id", "pay-1")
    (wait,) = run_of(worked, run_id)["waits"]

    assert missed["targets"] == []
    assert (sent["id"], sent["already"]) == ("pay-1", False)
    assert [target["runId"] for target in sent["targets"]] == [run_id]
    assert again["already"]
    assert [target["status"] for target in again["targets"]] == ["OBSERVED"]
    assert (wait["type"], wait["status"], wait["key"]) == ("event", "RESOLVED", "o-1")
    assert worked("events", "send", "x", "--id", "x-1").stdout == "x-1\n"


def test_an_event_starts_the_workflow_whose_trigger_it_is(worked: CommandLine) -> None:
    worked.publish(
        assign("seen", who="payload.who"),
        key="starts-by-event",
        trigger={
            "type": "event",
            "eventName": "person.hired",
            "payloadMapping": {"who": expr("event.payload.name")},
        },
        payloadSchema={"type": "object", "properties": {"who": {"type": "string"}}},
    )
    (run_id,) = worked.json("events", "send", "person.hired", "--payload", '{"name": "Ada"}')[
        "startedRuns"
    ]
    (wrong,) = worked.json("events", "send", "person.hired", "--payload", '{"name": 5}')[
        "startedRuns"
    ]
    Studio.eventually(lambda: status(worked, run_id) == "SUCCEEDED")
    run, failed = run_of(worked, run_id)["run"], run_of(worked, wrong)["run"]

    assert run["input"] == {"who": "Ada"}
    assert run["trigger"]["type"] == "event"
    assert run["trigger"]["metadata"]["eventName"] == "person.hired"
    assert (failed["status"], failed["error"]["stage"]) == ("FAILED", "launch")


def test_a_task_is_listed_refused_and_answered(worked: CommandLine) -> None:
    form = {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}
    worked("tasks", "define", "sign-off", worked.file(form, "form.json"))
    worked.publish(
        human_task("ask", taskType="sign-off", title=expr("'Sign ' & payload.what")),
        assign("after", ok="vars.event.ok"),
        key="asks",
    )
    run_id = started(worked, "asks", '{"what": "it"}')
    (task,) = [one for one in worked.json("tasks", "list") if one["runId"] == run_id]
    assert (task["title"], task["taskType"], task["workflow"]["key"]) == (
        "Sign it",
        "sign-off",
        "asks",
    )
    assert task["id"] in worked("tasks", "list").stdout
    refused = worked("tasks", "answer", task["id"], "--payload", '{"ok": "yes"}', code=3)
    assert "/ok" in refused.stderr
    assert status(worked, run_id) == "WAITING"
    answered = worked.json("tasks", "answer", task["id"], "--payload", '{"ok": true}')
    assert answered == {"id": task["id"], "runId": run_id, "state": "accepted"}
    Studio.eventually(lambda: status(worked, run_id) == "SUCCEEDED")
    late = worked("tasks", "answer", task["id"], "--payload", '{"ok": true}', code=3)

    assert "answered already by the command line" in late.stderr
    assert run_id not in [one["runId"] for one in worked.json("tasks", "list")]


def test_an_unknown_task_type_is_found_at_publish(flask: CommandLine) -> None:
    document = {"id": "x", "name": "X", "steps": [human_task("ask", taskType="nobody-knows")]}
    found = flask.json("definitions", "check", flask.file(document), code=3)
    assert [one["code"] for one in found["findings"]] == ["UNKNOWN_TASK_TYPE"]
    flask("tasks", "define", "nobody-knows", flask.file({"type": "object"}, "form.json"))
    assert flask.json("definitions", "check", flask.file(document))["ok"]
    flask("tasks", "define", "bad", flask.file({"type": "what"}, "form.json"), code=3)


def test_a_run_pauses_at_the_quota_and_goes_on_when_it_is_raised(worked: CommandLine) -> None:
    """`quota set` on a worker that runs: it heeds it within seconds, and tends to what pauses."""
    logs = act("logs")
    logs["config"] |= {
        "actionId": "log.write",
        "inputMapping": {"level": "INFO", "message": "hello"},
    }
    worked.publish(logs, {**logs, "id": "more"}, key="counted")
    runs: list[str] = []
    shown = worked.json("quota", "set", "1")
    try:
        assert (shown["limit"], shown["used"]) == (1, 0)
        Studio.eventually(lambda: pauses(worked, runs), 30, 0.5)
        run_id = runs[-1]
        assert worked.json("quota", "show")["paused"] == 1
        assert worked.json("quota", "release", run_id)["runId"] == run_id
        (wait, *_) = run_of(worked, run_id)["waits"]
        assert wait["payload"]["reason"] == "workflow_step_quota_exceeded"
        worked("quota", "set", "1000")
        Studio.eventually(lambda: status(worked, run_id) == "SUCCEEDED", 30, 0.5)
    finally:
        worked("quota", "set", "unlimited")
    worked("quota", "release", run_id, code=3)
    worked("quota", "set", "many", code=2)
    worked("quota", "set", "0", code=3)


def pauses(flask: CommandLine, runs: list[str]) -> bool:
    """Starts a run and tells whether it pauses: the worker may not know of the limit yet."""
    runs.append(flask("runs", "start", "counted").stdout.strip())
    Studio.eventually(lambda: status(flask, runs[-1]) in {"SUCCEEDED", "WAITING"})
    return status(flask, runs[-1]) == "WAITING"
