"""What was done outside, counted: against the ledger, and against what the run must have done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.drills.documents import Shape
from tests.drills.evidence import Evidence

Effects = dict[str, Counter[tuple[str, str]]]
"""How often (action, idempotency key), by run."""


def read_effects(file: Path) -> Effects:
    found: Effects = {}
    for line in file.read_text().splitlines() if file.exists() else []:
        action, run_id, key, _attempt = line.split(" ")
        found.setdefault(run_id, Counter())[action, key] += 1
    return found


def of_effects(found: Evidence, shape: Shape, seen: Counter[tuple[str, str]]) -> Iterator[str]:
    known = {(call.action_id, call.idempotency_key) for call in found.calls}
    for call in found.calls:
        if call.action_id.startswith("drill."):
            yield from _of_call(call, seen[call.action_id, call.idempotency_key])
    for action, key in seen.keys() - known:
        if found.run.status != "CANCELED":
            yield f"{action} took effect under {key[:8]}, which the ledger does not know"
        elif action == "drill.once":
            yield "drill.once took effect before it was claimed in the ledger"
    yield from _of_ledger(found)
    yield from _of_counter(found, shape)


def _of_call(call: Any, times: int) -> Iterator[str]:
    name = f"{call.action_id} at {call.occurrence}"
    if call.action_id == "drill.once" and times > 1:
        yield f"{name}, not to be repeated, took effect {times} times"
    if call.status == "SUCCEEDED" and not times:
        yield f"{name} is SUCCEEDED and never took effect"


def _of_ledger(found: Evidence) -> Iterator[str]:
    calls = {(call.occurrence, call.action_id): call for call in found.calls}
    if len(calls) != len(found.calls):
        yield "one call has two rows in the ledger: its effect is doubled"
    for call in found.calls:
        if call.status == "STARTED":
            yield f"the call of {call.occurrence} is STARTED in a run that has ended"
        if (call.status == "STARTED") != (call.completed_at is None):
            yield f"the call of {call.occurrence} is {call.status} and ended {call.completed_at}"
    by_place = {call.occurrence: call for call in found.calls}
    for step in found.steps:
        if step.kind != "action.call" or step.superseded or step.status != "SUCCEEDED":
            continue
        noted = by_place.get(step.occurrence)
        if noted is None or noted.status != "SUCCEEDED":
            yield f"{step.occurrence} is SUCCEEDED, and the ledger does not say so"
        elif noted.output_json != step.output_json:
            yield f"{step.occurrence} has another output than the ledger"


def _of_counter(found: Evidence, shape: Shape) -> Iterator[str]:
    """An increment and its line in the ledger are one transaction: exactly once."""
    noted = sum(
        call.action_id == "store.increment" and call.status == "SUCCEEDED" for call in found.calls
    )
    if found.counted != noted:
        yield f"counted {found.counted}, and the ledger has {noted}: store.increment is not exact"
    if found.run.status == "SUCCEEDED" and found.counted != shape.counted:
        yield f"counted {found.counted}, not {shape.counted}"


def of_outcome(found: Evidence, shape: Shape) -> Iterator[str]:
    """May a run of this document end so?"""
    run, error = found.run, found.run.error_json or {}
    if run.status == "FAILED":
        cause = (error.get("details") or {}).get("cause") or {}
        category = cause.get("category") if isinstance(cause, dict) else None
        if not {error.get("category"), category} & shape.may_fail:
            yield f"FAILED: {error}"
    if run.status == "CANCELED" and run.cancel_requested_at is None and not run.parent_run_id:
        yield f"CANCELED, and nobody asked for it: {error}"
    if run.status == "SUCCEEDED" and shape.told in {"cancel", "bulk"}:
        yield "SUCCEEDED, though it waits for what never comes"
