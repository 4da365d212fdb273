"""`store.get`, `store.set`, `store.delete`, `store.increment`: exactly once (docs/rules.md 3).

They work in the transaction that records the step: what was stored and that it was stored become
true together.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from engine.actions.action import Action, ActionContext
from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.transforms.fields import Fields, Result, Whole
from engine.runs.strict_json import byte_length
from engine.store import key_values
from engine.store.key_values import Place, Written

VALUE_MAX_BYTES: Final = 256 * 1024
Label = Annotated[str, Field(min_length=1, max_length=256)]


def _not_null(value: object) -> object:
    """Null would mean "always": who passes on what `store.get` did not find must say so."""
    if value is None:
        raise PydanticCustomError("revision", "Input should be a revision; 0: nothing is there")
    return value


Expected = Annotated[
    Annotated[Whole, Field(ge=0)] | None,
    BeforeValidator(_not_null),
    WithJsonSchema({"type": "integer", "minimum": 0}),
]


class Named(Fields):
    namespace: Label
    key: Label

    @property
    def place(self) -> Place:
        return Place(self.namespace, self.key)


class Found(Result):
    found: bool
    value: Any
    revision: int | None
    """Null when nothing is there."""


class SetValue(Named):
    value: Any
    expected_revision: Expected = None
    """Write only over this revision; 0: only if nothing is there; left out: always."""


class Revision(Result):
    revision: int


class Deleted(Result):
    deleted: bool


class Increment(Named):
    by: Annotated[int | float, Field(allow_inf_nan=False)] = 1


class Counted(Result):
    value: int | float
    revision: int


def _get(input: Named, context: ActionContext) -> Found:
    stored = key_values.get(context.database(), input.place)
    if stored is None:
        return Found(found=False, value=None, revision=None)
    return Found(found=True, value=stored.value, revision=stored.revision)


def _set(input: SetValue, context: ActionContext) -> Revision:
    size = byte_length(input.value)
    if size > VALUE_MAX_BYTES:
        raise StepFailed(
            Category.VALIDATION,
            f"The value is too large: {size} bytes, at most {VALUE_MAX_BYTES}.",
            code="VALUE_TOO_LARGE",
            details={"bytes": size, "max": VALUE_MAX_BYTES},
        )
    session, written = context.database(), _written(context)
    expected = input.expected_revision
    if expected is None:
        return Revision(revision=key_values.put(session, input.place, input.value, written))
    if expected == 0:
        if key_values.create(session, input.place, input.value, written):
            return Revision(revision=1)
        raise _conflict(input, expected, context)
    revision = key_values.replace(session, input.place, input.value, written, expected=expected)
    if revision is None:
        raise _conflict(input, expected, context)
    return Revision(revision=revision)


def _delete(input: Named, context: ActionContext) -> Deleted:
    return Deleted(deleted=key_values.remove(context.database(), input.place))


def _increment(input: Increment, context: ActionContext) -> Counted:
    """Add to a number; nothing there counts as 0. Raises ActionError where no number is stored.

    Added in Python and not by the database, so that both databases give the same sums.
    """
    session, place = context.database(), input.place
    by = _plain(input.by)
    stored = key_values.lock_or_create(session, place, by, _written(context))
    if stored.revision == 1:
        return Counted(value=by, revision=1)
    if isinstance(stored.value, bool) or not isinstance(stored.value, int | float):
        raise StepFailed(
            Category.ACTION,
            f"{input.namespace}/{input.key} holds no number.",
            code="NOT_A_NUMBER",
            details={"namespace": input.namespace, "key": input.key},
        )
    value = _sum(stored.value, by)
    key_values.overwrite(session, place, value)
    return Counted(value=value, revision=stored.revision)


def _sum(stored: float, by: float) -> int | float:
    try:
        return _plain(stored + by)
    except OverflowError:
        raise _out_of_range() from None


def _plain(value: float) -> int | float:
    """Whole numbers as int; fractions only where they are kept exactly (strict JSON)."""
    if isinstance(value, int):
        return value
    if not math.isfinite(value) or abs(value) >= 2.0**53:
        raise _out_of_range()
    return int(value) if value.is_integer() else value


def _out_of_range() -> StepFailed:
    return StepFailed(
        Category.ACTION, "The sum is too large to be kept exactly.", code="OUT_OF_RANGE"
    )


def _conflict(input: SetValue, expected: int, context: ActionContext) -> StepFailed:
    stored = key_values.get(context.database(), input.place)
    actual: Json = None if stored is None else stored.revision
    there = "is not there" if actual is None else f"has revision {actual}"
    return StepFailed(
        Category.ACTION,
        f"{input.namespace}/{input.key} {there}, not {expected}.",
        code="REVISION_CONFLICT",
        details={"expectedRevision": expected, "revision": actual},
    )


def _written(context: ActionContext) -> Written:
    return Written(context.run_id, context.now)


def actions() -> list[Action]:
    return [
        _on_store("store.get", Named, Found, _get, "Read a value that was stored."),
        _on_store("store.set", SetValue, Revision, _set, "Store a value under a name."),
        _on_store("store.delete", Named, Deleted, _delete, "Forget a stored value."),
        _on_store("store.increment", Increment, Counted, _increment, "Add to a stored number."),
    ]


def _on_store(id: str, input: type[Fields], output: type[Fields], run: Any, summary: str) -> Action:
    return Action(
        id=id,
        version=1,
        Input=input,
        Output=output,
        run=run,
        summary=summary,
        repeatable=True,
        quick=True,
        in_transaction=True,
    )
