"""What a drill runs: documents of every kind, and how each may end.

What each must have done is not listed here: the checker has it from Temporal's history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tests.steps import Step, assign, call, expr, loop, try_catch, wait

EVENT: Final = "drill.go"
STARTS: Final = "drill.begin"
"""The event that starts runs."""
RECURRING: Final = "begun-by-clock"
FORM: Final = {
    "type": "object",
    "required": ["ok"],
    "properties": {"ok": {"type": "boolean"}},
}

_RETRY: Final = {"maxAttempts": 3, "backoffMs": 100, "backoffMultiplier": 2}
_HOUR_MS: Final = 3_600_000
_GO_ON: Final = {"policy": "continue"}


def touch(step_id: str, action: str, **given: Any) -> Step:
    config = {"actionId": f"drill.{action}", "version": 1, "inputMapping": given}
    return {"id": step_id, "type": "action.call", "config": config}


def count(step_id: str) -> Step:
    """Adds one to the run's counter, exactly once."""
    given = {"namespace": "drill", "key": expr("system.runId")}
    config = {"actionId": "store.increment", "version": 1, "inputMapping": given}
    return {"id": step_id, "type": "action.call", "config": config}


def event(step_id: str, **more: Any) -> Step:
    config = {"eventName": EVENT, "correlationKey": expr("system.runId"), **more}
    return {"id": step_id, "type": "event.wait", "config": config}


def human(step_id: str, **more: Any) -> Step:
    config = {"title": expr("'Is it good?'"), "form": FORM, **more}
    return {"id": step_id, "type": "human.task", "config": config}


def kept(step: Step, path: str) -> Step:
    return {**step, "config": {**step["config"], "saveAs": path}}


def at_once(step: Step, limit: int) -> Step:
    return {**step, "concurrency": limit}


@dataclass(frozen=True)
class Shape:
    """A document. `told`: what its operator does after launching; `counted`: when it SUCCEEDED."""

    key: str
    steps: list[Step]
    counted: int = 0
    told: str = ""
    """"event", "late event", "answer", "cancel", "bulk" or nothing."""
    trigger: dict[str, Any] | None = None
    may_fail: frozenset[str] = frozenset({"OutcomeUnknown"})
    """Categories, beside a cause of a child's failure."""
    launched: bool = True
    """By an operator; else by a call, an event or a clock."""

    @property
    def document(self) -> dict[str, Any]:
        document = {"id": self.key, "name": self.key, "steps": self.steps}
        return document if self.trigger is None else document | {"trigger": self.trigger}


_NEVER: Final[frozenset[str]] = frozenset()

SHAPES: Final = (
    Shape(
        "called",
        [count("c"), touch("send", "once", ms=60), assign("sum", total="payload.n + 1")],
        counted=1,
        launched=False,
    ),
    Shape("called-and-fails", [touch("breaks", "quick", fails=9)], launched=False,
          may_fail=frozenset({"TransientError"})),
    Shape(
        "quick-chain",
        [*(touch(f"q{n}", "quick", ms=60) for n in range(6)), count("c")],
        counted=1,
        may_fail=_NEVER,
    ),
    Shape("send-once", [count("c"), touch("send", "once", ms=800), count("d")], counted=2),
    Shape("long-call", [touch("call", "keyed", ms=1500), count("c")], counted=1, may_fail=_NEVER),
    Shape(
        "waiting",
        [count("c"), wait("pause", 1200), touch("after", "quick"), touch("send", "once", ms=50)],
        counted=1,
    ),
    Shape("loop", [loop("each", "[0..7]", count("c"))], counted=8, may_fail=_NEVER),
    Shape(
        "at-once",
        [
            at_once(
                loop("each", "[0..5]", touch("t", "keyed", ms=100), count("c"), wait("w", 50)), 3
            ),
            touch("send", "once"),
        ],
        counted=6,
    ),
    Shape(
        "tried-again",
        [
            {**touch("flaky", "keyed", fails=2, ms=40), "retry": _RETRY},
            {**touch("quickly", "quick", fails=1), "retry": _RETRY},
            {**touch("hopeless", "keyed", fails=9), "retry": _RETRY, "onError": _GO_ON},
            count("c"),
        ],
        counted=1,
        may_fail=_NEVER,
    ),
    Shape(
        "caught",
        [
            {
                **try_catch(
                    "guard",
                    [count("c"), touch("breaks", "once", fails=9, category="ActionError")],
                    [touch("mend", "keyed", ms=100), count("d")],
                ),
                "captureErrorAs": "why",
            },
            count("finally"),
        ],
        counted=3,
        may_fail=_NEVER,
    ),
    Shape(
        "by-event",
        [wait("first", 300), event("go"), touch("send", "once", ms=50), event("again"), count("c")],
        counted=1,
        told="event",
    ),
    Shape(
        "event-too-late",
        [
            {**event("go", timeoutMs=1500), "onError": _GO_ON},
            touch("meanwhile", "keyed", ms=300),
            {**event("again", timeoutMs=2500), "onError": _GO_ON},
            count("c"),
        ],
        counted=1,
        told="late event",
        may_fail=_NEVER,
    ),
    Shape(
        "by-hand",
        [count("c"), human("ask"), touch("send", "once", ms=50), count("d")],
        counted=2,
        told="answer",
    ),
    Shape(
        "calls",
        [
            call("sub", "called", {"n": expr("1")}, {"vars.sum": expr("childRun.vars.total")}),
            touch("after", "quick"),
            count("c"),
        ],
        counted=1,
    ),
    Shape(
        "calls-in-vain",
        [
            try_catch("guard", [call("sub", "called-and-fails", retry={**_RETRY, "maxAttempts": 2,
                      "retryOn": ["ChildWorkflowError"]})], [touch("mend", "keyed")]),
            at_once(loop("each", "[1, 2]", call("subs", "called", {"n": expr("thing")})), 2),
            count("c"),
        ],
        counted=1,
    ),
    Shape(
        "goes-on-as-new",
        [
            *(kept(touch(f"big{n}", "keyed", bytes=50_000), f"vars.big{n}") for n in range(3)),
            loop("each", "[1..12]", touch("t", "keyed"), count("c"), wait("w", 10)),
        ],
        counted=12,
        may_fail=_NEVER,
    ),
    Shape(
        "large",
        [
            kept(touch("make", "keyed", bytes=90_000), "vars.large"),
            kept(touch("again", "quick", bytes=90_000), "vars.more"),
            assign("size", n="len(vars.large.text) + len(vars.more.text)"),
            count("c"),
        ],
        counted=1,
        may_fail=_NEVER,
    ),
    Shape(
        "canceled",
        [
            count("c"),
            try_catch("guard", [at_once(loop("each", "[1, 2]", wait("w", 900),
                                touch("call", "keyed", ms=400)), 2), wait("long", _HOUR_MS)],
                      [count("never")]),
        ],
        told="cancel",
    ),
    Shape(
        "parked",
        [count("c"), call("sub", "called", {"n": expr("1")}), human("ask")],
        told="bulk",
    ),
    Shape(
        "begun-by-event",
        [touch("send", "once", ms=30), count("c")],
        counted=1,
        trigger={"type": "event", "eventName": STARTS},
        launched=False,
    ),
    Shape(
        RECURRING,
        [touch("send", "once", ms=30), count("c")],
        counted=1,
        trigger={"type": "recurring", "cron": "*/5 * * * *", "timezone": "UTC"},
        launched=False,
    ),
)  # fmt: skip

AT_A_TIME: Final = "at-a-time-"

LAUNCHED: Final = tuple(shape for shape in SHAPES if shape.launched)


def at_times(times: list[datetime]) -> list[Shape]:
    """A document for each, which starts once by itself."""
    return [
        Shape(
            f"{AT_A_TIME}{number}",
            [count("c"), touch("send", "once", ms=30)],
            counted=1,
            trigger={"type": "schedule", "runAt": moment.isoformat()},
            launched=False,
        )
        for number, moment in enumerate(times)
    ]


def shape_of(key: str) -> Shape:
    """Raises KeyError."""
    name = key.rstrip("0123456789") if key.startswith(AT_A_TIME) else key
    return _BY_KEY[name]


_BY_KEY: Final = {shape.key: shape for shape in SHAPES} | {AT_A_TIME: at_times([datetime.max])[0]}
