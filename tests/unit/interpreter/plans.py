"""Plans for tests, written as short as documents: paths are made here."""

from __future__ import annotations

from typing import Any

from engine.contract import Json
from engine.interpreter.host import StepEnd
from tests.fakes import FakeHost

Step = dict[str, Any]

_BLOCKS = ("then", "else", "body", "try", "catch")


def expr(source: str) -> Json:
    return {"$expr": source}


def plan(*steps: Step) -> dict[str, Json]:
    return {"format": 1, "steps": _placed(steps, "root")}


def step(kind: str, id: str, config: Json = None, **more: Any) -> Step:
    return {"id": id, "kind": kind, "config": config or {}, **more}


def action(id: str, inputs: Json = None, *, save_as: str | None = None, **more: Any) -> Step:
    config = {"actionId": "demo.do", "version": 1, "inputMapping": inputs or {}}
    if save_as:
        config["saveAs"] = save_as
    config |= more.pop("config", {})
    return step("action.call", id, config, mode=more.pop("mode", "regular"), **more)


def transform(id: str, name: str, inputs: Json, save_as: str | None = None, **more: Any) -> Step:
    config = {"actionId": f"transform.{name}", "version": 1}
    return action(id, inputs, save_as=save_as, mode="pure", config=config, **more)


def assign(id: str, writes: dict[str, Json], **more: Any) -> Step:
    return step("transform.assign", id, {"assign": writes}, **more)


def when(id: str, condition: Json, then: list[Step], otherwise: list[Step] | None = None) -> Step:
    blocks = {"then": then} | ({} if otherwise is None else {"else": otherwise})
    return step("control.if", id, {"condition": condition}, blocks=blocks)


def each(id: str, items: Json, body: list[Step], *, var: str = "it", **config: Json) -> Step:
    return step(
        "control.forEach", id, {"items": items, "itemVar": var, **config}, blocks={"body": body}
    )


def attempt(id: str, tried: list[Step], caught: list[Step], capture: str | None = None) -> Step:
    config = {"captureErrorAs": capture} if capture else {}
    return step("control.tryCatch", id, config, blocks={"try": tried, "catch": caught})


def leave(id: str) -> Step:
    return step("control.return", id)


def state(id: str, label: Json) -> Step:
    return step("state.set", id, {"state": label})


def pause(id: str, ms: int = 60_000, **config: Json) -> Step:
    return step("time.wait", id, {"mode": "duration", "durationMs": ms, **config})


def event(id: str, name: str = "E", key: Json = "k", **config: Json) -> Step:
    return step("event.wait", id, {"eventName": name, "correlationKey": key, **config})


def task(id: str, **config: Json) -> Step:
    return step("human.task", id, {"taskType": "approve", "title": "Approve", **config})


def child(id: str, inputs: Json = None, outputs: Json = None, **more: Any) -> Step:
    config = {"workflowId": "other", "workflowVersion": 3}
    config |= {"inputMapping": inputs or {}, "outputMapping": outputs or {}}
    return step("control.callWorkflow", id, config, **more)


def _placed(steps: Any, parent: str) -> list[Json]:
    block = f"{parent}.steps"
    return [_at(one, f"{block}[{index}]") for index, one in enumerate(steps)]


def _at(one: Step, path: str) -> Step:
    blocks = {
        name: _placed(one["blocks"][name], f"{path}.{name}") for name in one.get("blocks", {})
    }
    return {**one, "path": path, **({"blocks": blocks} if blocks else {})}


def rows(host: FakeHost) -> list[str]:
    """The rows that the interpreter recorded, as `id#iter STATUS`."""
    return [
        f"{end.place.step_id}{'#' if end.place.iter else ''}"
        f"{','.join(map(str, end.place.iter))} {end.status}"
        for end in host.rows
    ]


def row(host: FakeHost, id: str, status: str | None = None) -> StepEnd:
    """The last row of a step (with this status)."""
    return next(
        end
        for end in reversed(host.rows)
        if end.place.step_id == id and status in {None, end.status}
    )
