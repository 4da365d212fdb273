"""Random plans made of a number, and a script that answers them by where they ask.

Drawn by `random.Random` and not node by node by hypothesis, whose lists stay short and whose
plans therefore end after a step or two; a failing number still says which plan it was.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.host import Performed, ValueRef
from tests.fakes import FakeHost, Lasting
from tests.unit.interpreter import plans
from tests.unit.interpreter.plans import Step, expr

PAYLOAD: dict[str, Json] = {"n": 3, "items": [1, 2, 3], "like": {"$ref": "v", "bytes": 3}}
BIG = {"rows": list(range(50)), "n": 1}

EXPRESSIONS = [
    "payload.n + 1",
    "payload.items",
    "payload.like",
    "coalesce(vars.a, 0)",
    "coalesce(vars.b.c, 'c')",
    "[coalesce(index, -1), coalesce(it, 'none')]",
    "coalesce(error.message, 'none')",
    "$count($keys(vars))",
    "$keys(local)",
    "coalesce(vars.big.n, 0)",
    "nowIso()",
]
CONDITIONS = ["$exists(vars.a)", "coalesce(isLast, true)", "coalesce(index, 0) = 1", "1 = 1"]
ITEMS: list[Json] = [[1], [1, 2], ["a", None, 3], expr("payload.items"), []]
TARGETS = ["vars.a", "vars.b.c", "vars.it", "payload.p", "meta.state", "error.x"]
RETRIES: list[Json] = [
    None,
    {"maxAttempts": 2, "backoffMs": 1000},
    {"maxAttempts": 3, "backoffMs": 0, "retryOn": ["ActionError", "ExpressionError"]},
]


def random_plan(number: int, *, concurrent: bool) -> dict[str, Json]:
    return plans.plan(*_named(_Maker(Random(number), concurrent).steps(3)))


class _Maker:
    def __init__(self, random: Random, concurrent: bool) -> None:
        self.random = random
        self.concurrent = concurrent

    def steps(self, depth: int) -> list[Step]:
        return [self.step(depth) for _ in range(self.random.randint(1, 4))]

    def step(self, depth: int) -> Step:
        if depth == 0 or self.random.random() < 0.5:
            return self.random.choice(LEAVES)(self)
        return self.random.choice([_Maker.loop, _Maker.loop, _Maker.branches, _Maker.tries])(
            self, depth - 1
        )

    def loop(self, depth: int) -> Step:
        items = expr("payload.n") if self.rarely() else self.random.choice(ITEMS)
        config = {"onItemError": self.random.choice(["continue", "fail"])}
        if self.concurrent:
            config["concurrency"] = self.random.randint(1, 3)
        return plans.each("", items, self.steps(depth), **config)

    def branches(self, depth: int) -> Step:
        condition = expr("payload.n" if self.rarely() else self.random.choice(CONDITIONS))
        return plans.when("", condition, self.steps(depth), self.steps(depth))

    def tries(self, depth: int) -> Step:
        return plans.attempt("", self.steps(depth), self.steps(depth), "caught")

    def action(self) -> Step:
        return plans.action(
            "",
            {name: self.expression() for name in "xy"[: self.random.randint(0, 2)]},
            save_as=self.random.choice([None, "a", "vars.big", "payload.big", "it"]),
            mode=self.random.choice(["local", "regular"]),
            retry=self.random.choice(RETRIES),
            on_error=self.random.choice([None, "continue"]),
        )

    def assign(self) -> Step:
        targets = self.random.sample(TARGETS, self.random.randint(1, 3))
        on_error = self.random.choice([None, "continue"])
        return plans.assign("", {one: self.expression() for one in targets}, on_error=on_error)

    def child(self) -> Step:
        outputs = {"vars.a": expr("childRun.vars.total")}
        retry = self.random.choice(RETRIES)
        return plans.child("", {"i": self.expression()}, outputs, retry=retry)

    def end(self) -> Step:
        return plans.leave("") if self.rarely() else plans.state("", "label")

    def expression(self) -> Json:
        return expr("vars.missing" if self.rarely() else self.random.choice(EXPRESSIONS))

    def rarely(self) -> bool:
        return self.random.random() < 0.07


LEAVES = [
    _Maker.action,
    _Maker.action,
    _Maker.assign,
    _Maker.child,
    _Maker.end,
    lambda made: plans.transform("", "trim_text", {"text": "x"}, "t"),
    lambda made: plans.pause("", made.random.randint(0, 5000)),
    lambda made: plans.event("", timeoutMs=made.random.choice([1500, 5000])),
    lambda made: plans.task("", timeoutMs=made.random.choice([1500, 5000])),
]


def _named(steps: list[Step], prefix: str = "s") -> list[Step]:
    named = []
    for at, one in enumerate(steps):
        named_id = f"{prefix}{at}"
        blocks = {
            name: _named(inner, f"{named_id}{name[0]}")
            for name, inner in one.get("blocks", {}).items()
        }
        named.append({**one, "id": named_id, **({"blocks": blocks} if blocks else {})})
    return named


class AnsweringHost(FakeHost):
    """Answers by a hash of seed and place: the same place gets the same answer, always."""

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__(values={"big": BIG}, **options)
        self._seed = seed
        self._paused: set[int] = set()

    async def _scripted(self, request: Any, *names: str | None) -> Any:
        place = request.place
        digest = hashlib.sha256(
            f"{self._seed}:{place.path}:{place.iter}:{place.attempt}".encode()
        ).digest()
        answer = _ANSWERS[digest[0] % len(_ANSWERS)]
        if place.kind in {"event.wait", "human.task"}:
            answer = None if digest[1] % 4 == 0 else Lasting(digest[2] % 4, {"payload": {"a": 1}})
        if place.kind == "control.callWorkflow":
            answer = _CHILDREN[digest[0] % len(_CHILDREN)]
        if isinstance(answer, Performed) and answer.quota and place.position in self._paused:
            answer = None
        self._paused.add(place.position)
        self.script = {"here": answer}
        return await super()._scripted(request, "here")


_ANSWERS: list[Any] = [
    {"n": 1},
    "text",
    None,
    Lasting(1, 5),
    Lasting(3, {"n": 2}),
    Performed(ValueRef("big", 70_000)),
    Performed(ValueRef("big", 70_000)),
    Performed(None, quota={"limit": 1, "seconds": 2}),
    {"n": 3},
    Lasting(2, {"n": 4}),
    Lasting(4, None),
    5,
    [1, 2],
    StepFailed(Category.ACTION, "no"),
    Lasting(2, StepFailed(Category.TRANSIENT, "busy")),
]
_CHILDREN: list[Any] = [
    {"vars": {"total": 2}},
    Lasting(2, {"vars": {"total": 3}}),
    {"vars": {"total": 4}},
    StepFailed(Category.CHILD, "no", details={"cause": {"category": "TransientError"}}),
]
