"""Documents of every shape for tests of pictures."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import strategies as st

Step = dict[str, Any]


def action(name: str = "act") -> Step:
    config = {"actionId": "log.write", "version": 1, "inputMapping": {}}
    return {"id": name, "type": "action.call", "config": config}


def branch(then: list[Step], other: list[Step] | None = None, name: str = "choose") -> Step:
    step: Step = {"id": name, "type": "control.if", "condition": {"$expr": "true"}, "then": then}
    return step if other is None else step | {"else": other}


def loop(body: list[Step], name: str = "loop") -> Step:
    return {
        "id": name,
        "type": "control.forEach",
        "items": {"$expr": "payload.list"},
        "itemVar": "one",
        "body": body,
    }


def guarded(attempt: list[Step], catch: list[Step], name: str = "guard") -> Step:
    return {"id": name, "type": "control.tryCatch", "try": attempt, "catch": catch}


def stop(name: str = "stop") -> Step:
    return {"id": name, "type": "control.return"}


def document(*steps: Step) -> dict[str, Any]:
    numbers = itertools.count(1)
    return {"id": "drawn", "name": "Drawn", "steps": [_numbered(step, numbers) for step in steps]}


def _numbered(step: Step, numbers: itertools.count[int]) -> Step:
    """A copy whose ids are its own."""
    copy = dict(step) | {"id": f"{step['id']}-{next(numbers)}"}
    for name in ("then", "else", "body", "try", "catch"):
        if name in copy:
            copy[name] = [_numbered(inner, numbers) for inner in copy[name]]
    return copy


def _blocks(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    steps = st.lists(inner, max_size=3)
    return st.one_of(
        st.builds(branch, steps, st.none() | steps),
        st.builds(loop, steps),
        st.builds(guarded, steps, steps),
    )


ANY_STEP = st.recursive(st.builds(action) | st.builds(stop), _blocks, max_leaves=12)
ANY_DOCUMENT = st.builds(lambda steps: document(*steps), st.lists(ANY_STEP, max_size=3))
