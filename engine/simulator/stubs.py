"""What stands in for the world: an answer by step id, or by what a step asks for.

A key is a step id, an action's id, an event's name, a task's type, or `workflow:<key>`; the step id
wins. A value is the output, the event's payload, the answer, or a child's final scopes, and:

- `{"$error": {"category"?, "message"?, "code"?, "details"?}}`: it fails,
- `{"$timeout": true}`: an event or an answer does not come in time,
- `{"$each": [value, …]}`: one for each time, the last one for all further times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.contract import Json
from engine.errors import Category, Invalid, Problem, StepFailed


@dataclass(frozen=True, slots=True)
class Stub:
    value: Json = None
    failure: StepFailed | None = None
    times_out: bool = False


class Stubs:
    def __init__(self, stubs: Mapping[str, Json]) -> None:
        """Raises `Invalid` for an `$error` or `$each` that is none."""
        self._stubs = dict(stubs)
        self._used: dict[str, int] = {}
        problems = [
            Problem(f"/stubs/{name}", message, "INVALID_STUB")
            for name, value in stubs.items()
            if (message := _fault(value)) is not None
        ]
        if problems:
            raise Invalid("The stubs cannot be used.", problems, code="INVALID_STUBS")

    def find(self, *names: str | None) -> Stub | None:
        """The answer to one asking; None: there is no stub under any of these names."""
        name = next((name for name in names if name is not None and name in self._stubs), None)
        if name is None:
            return None
        value = self._stubs[name]
        if _is(value, "$each"):
            used = self._used[name] = self._used.get(name, 0) + 1
            value = value["$each"][min(used, len(value["$each"])) - 1]
        return _stub(value)


def arrived(value: Json) -> Json:
    """As it comes into a run: what carries and stores JSON sorts the keys of objects."""
    return json.loads(json.dumps(value, sort_keys=True))


def _stub(value: Json) -> Stub:
    if _is(value, "$timeout"):
        return Stub(times_out=True)
    if not _is(value, "$error"):
        return Stub(arrived(value))
    error = {"category": Category.ACTION.value, "message": "The stub fails.", **value["$error"]}
    return Stub(failure=StepFailed.from_data(error))


def _is(value: Json, key: str) -> bool:
    return isinstance(value, dict) and value.keys() == {key}


def _fault(value: Json) -> str | None:
    if _is(value, "$each"):
        each = value["$each"]
        if not isinstance(each, list) or not each:
            return "$each is a list of at least one value."
        return next((fault for one in each if (fault := _fault(one)) is not None), None)
    if _is(value, "$error"):
        return _fault_of_error(value["$error"])
    return None


def _fault_of_error(error: Json) -> str | None:
    if not isinstance(error, dict) or error.keys() - {"category", "message", "code", "details"}:
        return "$error is {category?, message?, code?, details?}."
    if not isinstance(error.get("details", {}), dict):
        return "details is an object."
    if not all(isinstance(error.get(name, ""), str) for name in ("category", "message", "code")):
        return "category, message and code are texts."
    categories = [one.value for one in Category if one not in _NEVER_STUBBED]
    if error.get("category", Category.ACTION) not in categories:
        return f"category is one of {', '.join(categories)}."
    return None


_NEVER_STUBBED: Final = {Category.CANCELLATION, Category.INTERPRETER}
