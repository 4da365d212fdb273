"""A run's step rows, and what is stored apart from them, compared with its history."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from engine.contract import REFERENCE_KEY
from engine.runs.status import TERMINAL
from engine.runs.strict_json import canonical
from tests.drills.evidence import Evidence
from tests.drills.projected import OMITTED, Key, Projected, StepThere

_OPEN = frozenset({"STARTED", "RETRY_SCHEDULED"})


def of_steps(found: Evidence, told: Projected) -> Iterator[str]:
    rows = {(row.occurrence, row.attempt): row for row in found.steps}
    if len(rows) != len(found.steps):
        yield "two rows of one attempt"
    for key, there in told.steps.items():
        row = rows.get(key)
        if row is None:
            yield f"no row of {_named(key)} which the history has as {there.status}"
        elif key not in told.unsure:
            differences = _differences(found, row, there, ended_by_itself=told.ended_by_itself)
            yield from (f"{_named(key)} {said}" for said in differences)
    for key, row in rows.items():
        if row.status in _OPEN and not _repeated(rows, key):
            yield f"{_named(key)} is {row.status} in a run that has ended"
        if key not in told.steps and key not in told.unsure and not row.superseded:
            yield f"{_named(key)} is {row.status}, and the history knows nothing of it"


def of_values(found: Evidence) -> Iterator[str]:
    """The name of a stored value is made of what it is."""
    for name, value in found.values.items():
        if not name.endswith(hashlib.sha256(canonical(value).encode()).hexdigest()):
            yield f"the stored value {name} is another one"
    for step in found.steps:
        for value in (step.input_json, step.output_json):
            if _is_reference(value) and value[REFERENCE_KEY] not in found.values:
                yield f"the stored value {value[REFERENCE_KEY]} is gone"


def _differences(
    found: Evidence, row: Any, there: StepThere, *, ended_by_itself: bool
) -> Iterator[str]:
    if row.superseded:
        yield "is superseded, and the history has it"
    closed_outside = there.status in _OPEN and not ended_by_itself and row.status == "CANCELED"
    if row.status != there.status and not closed_outside:
        yield f"is {row.status}, in Temporal {there.status}"
    if row.status in TERMINAL and row.completed_at is None:
        yield f"is {row.status} and ended at no time"
    if not _same_error(row.error_json, there.error):
        yield f"has the error {row.error_json}, in Temporal {there.error}"
    pairs = {
        "position": (row.position, there.position),
        "beginning": (_ms(row.started_at), there.started_at),
        "end": (_ms(row.completed_at), there.completed_at),
        "handling": (row.handled, there.handled),
        "input": (_whole(found, row.input_json), _whole(found, there.input)),
        "output": (_whole(found, row.output_json), _whole(found, there.output)),
    }
    for what, (kept, wanted) in pairs.items():
        if wanted is not OMITTED and kept != wanted:
            yield f"has another {what}: {kept!s:.200}, in Temporal {wanted!s:.200}"


def _repeated(rows: dict[Key, Any], key: Key) -> bool:
    return rows[key].status == "RETRY_SCHEDULED" and (key[0], key[1] + 1) in rows


def _same_error(kept: Any, wanted: Any) -> bool:
    """A row's error has a place and a time beside what the activity said."""
    if wanted is OMITTED:
        return True
    if kept is None or wanted is None:
        return kept is wanted
    return bool({name: kept.get(name) for name in wanted} == wanted)


def _whole(found: Evidence, value: Any) -> Any:
    """What came by reference, as it was stored."""
    return found.values.get(value[REFERENCE_KEY]) if _is_reference(value) else value


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {REFERENCE_KEY, "bytes"}


def _named(key: Key) -> str:
    return f"{key[0]}, attempt {key[1]},"


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
