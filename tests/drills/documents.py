"""What a drill runs: documents of every shape, and what each must have done when it SUCCEEDED."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.steps import Step, expr, loop, try_catch, wait

TAG = "payload.tag"


def touch(step_id: str, action: str, ms: int = 0) -> Step:
    given = {"tag": expr(f"{TAG} & '/{step_id}'"), "ms": ms}
    config = {"actionId": f"drill.{action}", "version": 1, "inputMapping": given}
    return {"id": step_id, "type": "action.call", "config": config}


def count(step_id: str) -> Step:
    """Adds one to the run's counter, exactly once."""
    given = {"namespace": "drill", "key": expr(TAG)}
    config = {"actionId": "store.increment", "version": 1, "inputMapping": given}
    return {"id": step_id, "type": "action.call", "config": config}


@dataclass(frozen=True)
class Shape:
    key: str
    steps: list[Step]
    effects: dict[str, str]
    """Action by step id: each touched once, with one key."""
    counted: int = 0

    @property
    def document(self) -> dict[str, Any]:
        return {"id": self.key, "name": self.key, "steps": self.steps}


SHAPES: Final = (
    Shape(
        "quick-chain",
        [*(touch(f"q{n}", "quick", 60) for n in range(6)), count("c")],
        {f"q{n}": "quick" for n in range(6)},
        counted=1,
    ),
    Shape(
        "send-once",
        [count("c"), touch("send", "once", 800), count("d")],
        {"send": "once"},
        counted=2,
    ),
    Shape("long-call", [touch("call", "keyed", 1500), count("c")], {"call": "keyed"}, counted=1),
    Shape(
        "waiting",
        [count("c"), wait("pause", 1200), touch("after", "quick"), touch("send", "once", 50)],
        {"after": "quick", "send": "once"},
        counted=1,
    ),
    Shape("loop", [loop("each", "[0..7]", count("c"))], {}, counted=8),
    Shape(
        "tried",
        [try_catch("guard", [touch("call", "keyed", 300)], [count("never")]), count("c")],
        {"call": "keyed"},
        counted=1,
    ),
)
