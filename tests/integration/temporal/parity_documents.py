"""Random documents that simulator and worker can both execute, and the stubs that say the same.

Made of a number, so that a failing one can be made again. What a document does hangs on nothing but
itself: each action gives a constant or fails as it is told, nobody sends the events it waits for.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

from engine.contract import Json
from tests.steps import Step, act, assign, call, expr, try_catch, wait

PAYLOAD: Final[dict[str, Json]] = {"n": 3, "items": [1, 2, 3], "like": {"$ref": "v", "bytes": 3}}

CHILD_OK: Final = "parity-child"
CHILD_BAD: Final = "parity-child-that-fails"
CHILDREN: Final[dict[str, list[Step]]] = {
    CHILD_OK: [assign("sum", total="payload.i")],
    CHILD_BAD: [act("breaks", "quick", fails=99, category="ActionError")],
}

_EXPRESSIONS = [
    "payload.n + 1",
    "payload.items",
    "payload.like",
    "coalesce(vars.a, 0)",
    "coalesce(vars.b.c, 'c')",
    "[coalesce(index, -1), coalesce(it, 'none')]",
    "coalesce(error.message, 'none')",
    "$count($keys(vars))",
    "$keys(local)",
    "$keys(vars)",
    "coalesce(vars.big.text ? len(vars.big.text) : 0, 0)",
]
_CONDITIONS = ["$exists(vars.a)", "coalesce(isLast, true)", "coalesce(index, 0) = 1", "1 = 1"]
_ITEMS = ["[1]", "[1, 2]", "['a', null, 3]", "payload.items", "[]"]
_TARGETS = ["vars.a", "vars.b.c", "vars.it", "payload.p", "meta.state", "error.x"]
_RETRIES: list[Json] = [
    None,
    {"maxAttempts": 2, "backoffMs": 5},
    {"maxAttempts": 3, "backoffMs": 0, "retryOn": ["ActionError", "ExpressionError"]},
]
_OFTEN: Final = 60
"""A pattern of attempts, so many times over: once for each occurrence."""


class Made:
    """`steps` are a document's; `stubs` what the world gives them."""

    def __init__(self, number: int) -> None:
        self.random = Random(number)
        self.stubs: dict[str, Json] = {
            f"workflow:{CHILD_BAD}": {"$error": _child_fails()},
        }
        self.concurrent = self.random.random() < 0.3
        """Loops may have items that run at once: only the order inside an item is certain, and not
        which error is the last one."""
        self._at_once = False
        self._numbers = 0
        body = self._steps(2)
        self.steps = [{**try_catch("all", body, []), "captureErrorAs": "fatal"}]

    def _steps(self, depth: int) -> list[Step]:
        return [self._step(depth) for _ in range(self.random.randint(1, 3))]

    def _step(self, depth: int) -> Step:
        if depth == 0 or self.random.random() < 0.5:
            return self.random.choice(_LEAVES)(self)
        return self.random.choice([Made._loop, Made._branches, Made._tries])(self, depth - 1)

    def _id(self) -> str:
        self._numbers += 1
        return f"s{self._numbers}"

    def _loop(self, depth: int) -> Step:
        step: Step = {
            "id": self._id(),
            "type": "control.forEach",
            "items": expr("payload.n" if self._rarely() else self.random.choice(_ITEMS)),
            "itemVar": "it",
            "onItemError": self.random.choice(["continue", "fail"]),
        }
        outer = self._at_once
        if self.concurrent and (outer or self.random.random() < 0.7):
            # A failing item would cancel what others do at that moment, which nobody can foresee.
            self._at_once = True
            step |= {"concurrency": self.random.randint(1, 3), "onItemError": "continue"}
        step["body"] = self._steps(depth)
        self._at_once = outer
        return step

    def _branches(self, depth: int) -> Step:
        return {
            "id": self._id(),
            "type": "control.if",
            "condition": expr("payload.n" if self._rarely() else self.random.choice(_CONDITIONS)),
            "then": self._steps(depth),
            "else": self._steps(depth),
        }

    def _tries(self, depth: int) -> Step:
        caught = try_catch(self._id(), self._steps(depth), self._steps(depth))
        return {**caught, "captureErrorAs": "caught"}

    def _action(self) -> Step:
        retry = self.random.choice(_RETRIES)
        fails = self.random.choice([0, 0, 0, 1, 99])
        if self._at_once and fails == 1:
            fails = 0
        category = self.random.choice(["ActionError", "TransientError"])
        more: dict[str, Json] = {"value": self.random.choice([1, "text", None, [1, 2], {"b": 1}])}
        more |= {"fails": fails, "category": category} if fails else {}
        big = self._rarely()
        more |= {"bytes": 70_000} if big else {}
        step = act(self._id(), self.random.choice(["quick", "quick", "once"]), **more)
        name = step["id"]
        output = {"note": name, "text": "x" * 70_000 if big else "", "value": more["value"]}
        failure = {"category": category, "message": f"{name} fails", "code": "TOLD_TO"}
        self.stubs[name] = _attempts(output, {"$error": failure}, fails, retry)
        save_as = "big" if big else self.random.choice([None, "a", "vars.d", "payload.big", "it"])
        if save_as:
            step["config"]["saveAs"] = save_as
        if retry:
            step["retry"] = retry
        return self._maybe_continue(step)

    def _assign(self) -> Step:
        known = [one for one in _TARGETS if not (self.concurrent and "error" in one)]
        targets = self.random.sample(known, self.random.randint(1, 3))
        step = assign(self._id())
        step["config"]["assign"] = {one: self._expression() for one in targets}
        return self._maybe_continue(step)

    def _child(self) -> Step:
        key = self.random.choice([CHILD_OK, CHILD_BAD])
        step = call(self._id(), key, {"i": expr("7")}, {"vars.a": expr("childRun.vars.total")})
        self.stubs[f"workflow:{CHILD_OK}"] = {"vars": {"total": 7}}
        retry = self.random.choice(_RETRIES)
        return self._maybe_continue({**step, "retry": retry} if retry else step)

    def _label(self) -> Step:
        if self._rarely() and not self._at_once:
            return {"id": self._id(), "type": "control.return"}
        return {"id": self._id(), "type": "state.set", "config": {"state": "label"}}

    def _transform(self) -> Step:
        config = {
            "actionId": "transform.trim_text",
            "version": 1,
            "inputMapping": {"text": expr("' x '")},
            "saveAs": "t",
        }
        return {"id": self._id(), "type": "action.call", "config": config}

    def _pause(self) -> Step:
        return wait(self._id(), self.random.randint(1, 5))

    def _event(self) -> Step:
        step_id = self._id()
        self.stubs[step_id] = {"$timeout": True}
        config: dict[str, Json] = {"eventName": "never", "correlationKey": expr("'k'")}
        return self._maybe_continue(
            {"id": step_id, "type": "event.wait", "config": config | {"timeoutMs": 3}}
        )

    def _maybe_continue(self, step: Step) -> Step:
        if self.random.random() < 0.3:
            return {**step, "onError": {"policy": "continue"}}
        return step

    def _expression(self) -> Json:
        known = [one for one in _EXPRESSIONS if not (self.concurrent and "error" in one)]
        return expr("vars.missing" if self._rarely() else self.random.choice(known))

    def _rarely(self) -> bool:
        return self.random.random() < 0.07


def _attempts(output: Json, failure: Json, fails: int, retry: Any) -> Json:
    """What the attempts of each occurrence come to, one after the other."""
    if fails == 0:
        return output
    again = retry and failure["$error"]["category"] in retry.get("retryOn", ["TransientError"])
    if fails == 99 or not again:
        return failure
    return {"$each": [failure, output] * _OFTEN}


def _child_fails() -> Json:
    return {
        "category": "ChildWorkflowError",
        "message": f"The called workflow {CHILD_BAD} failed: breaks fails",
        "details": {"cause": {"category": "ActionError"}},
    }


_LEAVES: Final = [
    Made._action,
    Made._action,
    Made._action,
    Made._assign,
    Made._assign,
    Made._label,
    Made._transform,
    Made._pause,
    Made._child,
    Made._event,
    Made._assign,
    Made._transform,
    Made._action,
]
