"""The nine documents of the simulator's part of the bar, with what the world gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.contract import Json
from tests.steps import Step, act, assign, expr, loop, try_catch


@dataclass
class Given:
    steps: list[Step]
    stubs: dict[str, Json] = field(default_factory=dict)
    concurrent: bool = False


def branch(step_id: str, condition: str, then: list[Step], otherwise: list[Step]) -> Step:
    kind = {"id": step_id, "type": "control.if", "condition": expr(condition)}
    return kind | {"then": then, "else": otherwise}


def _worked(note: str, value: Json) -> dict[str, Json]:
    return {"note": note, "text": "", "value": value}


def _saved(step: Step, path: str) -> Step:
    return {**step, "config": {**step["config"], "saveAs": path}}


def _failure(name: str) -> dict[str, Any]:
    error = {"category": "ActionError", "message": f"{name} fails", "code": "TOLD_TO"}
    return {"$error": error}


_FAILS = act("breaks", "quick", fails=99, category="ActionError")
_ARMS = ([assign("yes", a="'then'")], [assign("no", a="'else'")])

BAR: dict[str, Given] = {
    "1 if/then": Given([branch("if", "payload.n = 3", *_ARMS), assign("after", b="a")]),
    "2 else": Given([branch("if", "payload.n = 4", *_ARMS), assign("after", b="a")]),
    "3 forEach": Given(
        [
            assign("before", thing="'kept'", seen="[]"),
            loop("each", "payload.items", assign("note", seen="append(seen, item + index)")),
            assign("after", last="thing"),
        ]
    ),
    "4 action and branch": Given(
        [
            _saved(act("ask", "quick", value={"ok": True}), "answer"),
            branch("if", "answer.value.ok", *_ARMS),
        ],
        {"ask": _worked("ask", {"ok": True})},
    ),
    "5 tryCatch": Given(
        [{**try_catch("try", [_FAILS], [assign("c", m="error.message")]), "captureErrorAs": "why"}],
        {"breaks": _failure("breaks")},
    ),
    "6 return": Given(
        [
            branch("if", "1 = 1", [{"id": "out", "type": "control.return"}], []),
            assign("never", a="1"),
        ]
    ),
    "7 nested branch in a loop": Given(
        [
            loop(
                "each",
                "payload.items",
                branch("if", "item > 1", [assign("one", a="item"), assign("two", b="a + 1")], []),
                assign("rest", c="[index, coalesce(b, 0)]"),
            )
        ]
    ),
    "8 onItemError": Given(
        [
            {**loop("each", "payload.items", assign("x", n="index"), _FAILS, assign("y", m="1")),
             "onItemError": "continue"}
        ],
        {"breaks": _failure("breaks")},
    ),
    "9 state.set": Given(
        [
            {"id": "label", "type": "state.set", "config": {"state": "half way"}},
            assign("after", s="meta.state"),
        ]
    ),
}  # fmt: skip
