"""The rows that a history asks for, made of what was asked and answered in it (docs/rules.md 4).

Independent of the statements that write them: what the timeline must hold when all is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine import contract, contract_children, contract_waits
from engine.contract import Batch, ClosedWait, Guard, Json, StepRecord, occurrence
from engine.durable.wire import unpack
from engine.errors import StepFailed
from engine.interpreter.retry import next_delay_ms, retry_seed
from engine.runs.status import STEP_RANK, StepStatus, WaitType
from tests.drills.retold import Told

Key = tuple[str, int]
"""(occurrence, attempt)"""

OMITTED: Final = object()
"""The history does not say what this column holds."""


@dataclass
class StepThere:
    status: str
    position: int
    started_at: int
    """Milliseconds, as the workflow saw them; so is `completed_at`."""
    guard: Guard
    completed_at: Any = OMITTED
    input: Any = OMITTED
    output: Any = OMITTED
    error: Any = OMITTED
    handled: bool = False
    action: str | None = None
    """Of a step that an activity performed."""


@dataclass
class WaitThere:
    wait_type: str
    event_name: str | None
    timeout_at: int | None
    closed: ClosedWait | None = None


@dataclass
class Projected:
    """What must be there. `unsure`: an activity was asked, and nothing is known of an answer."""

    steps: dict[Key, StepThere] = field(default_factory=dict)
    waits: dict[str, WaitThere] = field(default_factory=dict)
    children: set[str] = field(default_factory=set)
    unsure: set[Key] = field(default_factory=set)
    label: str | None = None
    claimed: bool = False
    run_over: bool = False
    """The workflow was told that its run had ended."""
    finish: contract.Finish | None = None
    finished: str | None = None
    """What the final projection answered."""

    @property
    def ended_by_itself(self) -> bool:
        """The row was open when the final projection came to it."""
        return self.finish is not None and self.finished == self.finish.status


def project(told: Sequence[Told]) -> Projected:
    found = Projected()
    for one in told:
        _HOW[one.activity](found, one)
    if found.ended_by_itself:
        _close_open(found)
    return found


def _claim(found: Projected, one: Told) -> None:
    found.claimed = found.claimed or bool((one.answer or {}).get("granted"))


def _perform(found: Projected, one: Told) -> None:
    call = unpack(contract.ActionCall, one.asked)
    place = occurrence(call.path, call.iter)
    key = (place, call.attempt)
    if not one.answered:
        found.unsure.add(key)
        return
    if _over(found, one):
        return
    _records(found, call.batch)
    answer = one.answer or {}
    if answer.get("quota") is not None:
        return
    there = StepThere(
        StepStatus.SUCCEEDED,
        call.position,
        call.started_at,
        call.batch.guard,
        input=call.input,
        output=answer.get("output"),
        error=None,
        action=call.action,
    )
    if one.failed is not None:
        _fail(there, call, one.failed)
    _write(found, key, there)


def _fail(there: StepThere, call: contract.ActionCall, failed: StepFailed) -> None:
    seed = retry_seed(call.run_id, occurrence(call.path, call.iter))
    delay = next_delay_ms(call.retry, call.attempt, failed.as_data(), seed)
    there.status = StepStatus.FAILED if delay is None else StepStatus.RETRY_SCHEDULED
    there.handled = delay is None and call.handled_by is not None
    there.output, there.error = None, failed.as_data()


def _open_wait(found: Projected, one: Told) -> None:
    wanted = unpack(contract_waits.OpenWait, one.asked)
    if not one.answered or _over(found, one):
        found.unsure.add((occurrence(wanted.path, wanted.iter), wanted.attempt))
        return
    _records(found, wanted.batch)
    if wanted.wait_type != WaitType.QUOTA:
        _begin(found, wanted)
    found.waits[wanted.wait_id] = WaitThere(wanted.wait_type, wanted.event_name, wanted.timeout_at)


def _admit(found: Projected, one: Told) -> None:
    wanted = unpack(contract_waits.AdmitStep, one.asked)
    if not one.answered or _over(found, one):
        found.unsure.add((occurrence(wanted.path, wanted.iter), wanted.attempt))
        return
    _records(found, wanted.batch)
    if (one.answer or {}).get("quota") is None:
        _begin(found, wanted)


def _begin(found: Projected, wanted: contract_waits.OpenWait | contract_waits.AdmitStep) -> None:
    there = StepThere(StepStatus.STARTED, wanted.position, wanted.started_at, wanted.batch.guard)
    _write(found, (occurrence(wanted.path, wanted.iter), wanted.attempt), there)


def _launch(found: Projected, one: Told) -> None:
    wanted = unpack(contract_children.LaunchChild, one.asked)
    if not one.answered or _over(found, one):
        return
    _records(found, wanted.batch)
    child = (one.answer or {}).get("child_run_id")
    if child is not None:
        found.children.add(str(child))


def _batch_only(found: Projected, one: Told) -> None:
    if one.answered and not _over(found, one):
        _records(found, unpack(Batch, one.asked.get("batch", one.asked)))


def _finish(found: Projected, one: Told) -> None:
    """Where the row was terminal already, nothing of it was written."""
    found.finish = unpack(contract.Finish, one.asked)
    if one.answer is None:
        return
    found.finished = str(one.answer["status"])
    if found.ended_by_itself:
        _records(found, found.finish.batch)


def _nothing(found: Projected, one: Told) -> None:
    """It writes nothing."""


_HOW: Final = {
    contract.ACTIVITY_CLAIM_RUN: _claim,
    contract.ACTIVITY_PERFORM_ACTION: _perform,
    contract.ACTIVITY_RECORD_PROGRESS: _batch_only,
    contract.ACTIVITY_STORE_CHECKPOINT: _batch_only,
    contract.ACTIVITY_OPEN_WAIT: _open_wait,
    contract_waits.ACTIVITY_ADMIT_STEP: _admit,
    contract_children.ACTIVITY_LAUNCH_CHILD: _launch,
    contract.ACTIVITY_FINISH_RUN: _finish,
    contract.ACTIVITY_FETCH_VALUE: _nothing,
}


def _over(found: Projected, one: Told) -> bool:
    over = bool((one.answer or {}).get("run_over"))
    found.run_over = found.run_over or over
    return over


def _records(found: Projected, batch: Batch) -> None:
    for record in batch.records:
        _write(found, (record.occurrence, record.attempt), _of_record(record, batch.guard))
    for closed in batch.closed_waits:
        wait = found.waits.get(closed.wait_id)
        if wait is not None and wait.closed is None:
            wait.closed = closed
    if batch.state is not None:
        found.label = batch.state


def _of_record(record: StepRecord, guard: Guard) -> StepThere:
    return StepThere(
        record.status,
        record.position,
        record.started_at,
        guard,
        completed_at=OMITTED if record.completed_at is None else record.completed_at,
        input=_said(record.input),
        output=_said(record.output),
        error=_said(record.error),
        handled=record.handled,
    )


def _said(value: Json) -> Any:
    """A later record without a value does not erase what an earlier one brought."""
    return OMITTED if value is None else value


def _write(found: Projected, key: Key, new: StepThere) -> None:
    """A row moves forward in rank, and within a rank to what was written later."""
    old = found.steps.get(key)
    if old is None:
        found.steps[key] = new
        return
    if (STEP_RANK[StepStatus(new.status)], new.guard.order) < (
        STEP_RANK[StepStatus(old.status)],
        old.guard.order,
    ):
        return
    new.action = new.action or old.action
    for name in ("completed_at", "input", "output", "error"):
        if getattr(new, name) is OMITTED:
            setattr(new, name, getattr(old, name))
    found.steps[key] = new


def _close_open(found: Projected) -> None:
    """What was open when the run ended: nothing executes it any more."""
    attempts: dict[str, int] = {}
    for place, attempt in found.steps:
        attempts[place] = max(attempt, attempts.get(place, 0))
    for (place, attempt), there in found.steps.items():
        again = there.status == StepStatus.RETRY_SCHEDULED and attempt == attempts[place]
        if there.status == StepStatus.STARTED or again:
            there.status = StepStatus.CANCELED
            there.completed_at = OMITTED
