"""Steps of documents, for tests that execute them: each the shortest that publishes."""

from __future__ import annotations

from typing import Any

Step = dict[str, Any]


def expr(source: str) -> dict[str, str]:
    return {"$expr": source}


def act(step_id: str, action: str = "once", **input: Any) -> Step:
    """A call of an action of tests.work_actions."""
    return {
        "id": step_id,
        "type": "action.call",
        "config": {
            "actionId": f"work.{action}",
            "version": 1,
            "inputMapping": {"note": step_id, **input},
        },
    }


def chain(count: int, action: str = "quick", **input: Any) -> list[Step]:
    return [act(f"step-{number}", action, **input) for number in range(count)]


def wait(step_id: str, ms: int = 3_600_000) -> Step:
    config = {"mode": "duration", "durationMs": ms}
    return {"id": step_id, "type": "time.wait", "config": config}


def loop(step_id: str, items: str, *body: Step) -> Step:
    return {
        "id": step_id,
        "type": "control.forEach",
        "items": expr(items),
        "itemVar": "thing",
        "body": list(body),
    }


def try_catch(step_id: str, tried: list[Step], caught: list[Step]) -> Step:
    return {"id": step_id, "type": "control.tryCatch", "try": tried, "catch": caught}


def assign(step_id: str, **sources: str) -> Step:
    """Sets vars to what these expressions give."""
    assigned = {f"vars.{name}": expr(source) for name, source in sources.items()}
    return {"id": step_id, "type": "transform.assign", "config": {"assign": assigned}}


def call(
    step_id: str,
    key: str,
    inputs: dict[str, Any] | None = None,
    outputs: dict[str, Any] | None = None,
    **more: Any,
) -> Step:
    """A call of version 1 of another workflow."""
    called = {"id": step_id, "type": "control.callWorkflow", "workflowId": key}
    called |= {"workflowVersion": 1, "inputMapping": inputs or {}}
    return called | ({"outputMapping": outputs} if outputs else {}) | more
