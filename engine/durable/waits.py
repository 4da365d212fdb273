"""A run's waits inside its workflow: opened, ended by what comes or by time, closed (rules.md 7).

What comes is kept by the wait's id, so that a signal for a wait that is just being opened counts
and one for a wait that has ended does nothing: the store then has the event for a later wait. So
nothing travels with continue-as-new: between two steps no wait is open, and whatever was on its
way to one is found again when it opens.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from engine import contract
from engine.contract import Json
from engine.contract_waits import (
    ACTIVITY_ADMIT_STEP,
    ANSWER_DOES_NOT_FIT,
    TASK_NOT_OPEN,
    Admitted,
    EventSignal,
    QuotaReleased,
    TaskAnswer,
    WaitAnswer,
)
from engine.definitions.payload_schema import validate
from engine.durable import calls, messages
from engine.durable.patches import ANSWERS_ARE_DURABLE
from engine.durable.progress import Progress, now
from engine.errors import Category, StepFailed
from engine.interpreter.host import StepPlace, WaitRequest
from engine.interpreter.kinds.human_task import COMPLETED
from engine.runs.status import WaitStatus, WaitType

QUOTA_REASON: Final = "workflow_step_quota_exceeded"

_SHORTEST_PAUSE: Final = timedelta(seconds=1)
"""A worker whose clock is behind must not ask for quota without end when the period turns."""
_REMEMBERED: Final = 100
"""Early signals, and answers of tasks that are closed."""


@dataclass(slots=True)
class _Wait:
    kind: str
    is_open: bool = False
    """The store knows it: a task may be answered."""
    came: dict[str, Json] | None = None
    """What ended it: an event, an answer, a release."""
    event_id: str | None = None
    form: dict[str, Json] | None = None
    answer: dict[str, Json] | None = None
    """Of a task: who gave which, and when."""


class Waits:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._outbox = progress.outbox
        self._waits: dict[str, _Wait] = {}
        self._early: dict[str, EventSignal | QuotaReleased] = {}
        self._answered: dict[str, dict[str, Json]] = {}
        self._pauses: dict[tuple[str, int], int] = {}
        self.counted = False
        """A quota is configured, as the last answer of an activity said."""

    # What the host is asked

    async def wait(self, request: WaitRequest) -> dict[str, Json] | None:
        """As `Host.wait`."""
        wait_id = messages.wait_id(self._progress.run_id, request.place, request.kind)
        return await self._stay(request, wait_id)

    async def pause(self, place: StepPlace, quota: dict[str, Json], run_waits: bool) -> None:
        """Until the period ends, or somebody releases the run."""
        until = max(datetime.fromisoformat(quota["periodEnd"]), now() + _SHORTEST_PAUSE)
        request = WaitRequest(
            place,
            WaitType.QUOTA,
            now(),
            until,
            payload={"reason": QUOTA_REASON, **quota},
            run_waits=run_waits,
        )
        await self._stay(request, self._pause_id(place))

    async def admit(self, place: StepPlace, started_at: datetime) -> dict[str, Json] | None:
        """As `Host.admit`. Costs nothing where no quota is configured."""
        if not self.counted:
            return None
        self._begin(place)
        await self._progress.make_room()
        batch = self._progress.take_batch()
        wanted = messages.admit_step(self._progress.run_id, batch, place, started_at)
        answer: Admitted = await self._progress.write(ACTIVITY_ADMIT_STEP, wanted, Admitted, batch)
        self._progress.heed(answer)
        return answer.quota

    # What comes from outside

    def take_event(self, signal: EventSignal) -> None:
        wait = self._waits.get(signal.wait_id)
        if wait is None:
            _remember(self._early, signal.wait_id, signal)
        elif wait.kind == WaitType.EVENT:
            _end_by_event(wait, signal)

    def take_release(self, signal: QuotaReleased) -> None:
        wait = self._waits.get(signal.wait_id)
        if wait is None:
            _remember(self._early, signal.wait_id, signal)
        elif wait.kind == WaitType.QUOTA:
            wait.came = {}

    def check_answer(self, answer: TaskAnswer) -> None:
        """Raises ApplicationError: the update is refused, and the task stays as it is."""
        wait = self._waits.get(answer.task_id)
        if wait is None or wait.kind != WaitType.HUMAN or not wait.is_open or wait.came is not None:
            known = self._answered.get(answer.task_id) or (wait.answer if wait else None) or {}
            who = {name: known[name] for name in ("answeredBy", "answeredAt") if name in known}
            raise ApplicationError("The task is not open.", who, type=TASK_NOT_OPEN)
        problems = validate(wait.form or {}, answer.payload)
        if problems:
            found = [
                {"pointer": one.pointer, "message": one.message, "code": one.code}
                for one in problems
            ]
            raise ApplicationError(
                "The answer does not fit the form.", found, type=ANSWER_DOES_NOT_FIT
            )

    def take_answer(self, answer: TaskAnswer) -> None:
        """Checked by `check_answer`, in this very task."""
        wait = self._waits[answer.task_id]
        wait.came = {"eventName": COMPLETED, "payload": answer.payload}
        wait.answer = {
            "answer": answer.payload,
            "answeredBy": answer.answered_by,
            "answeredById": answer.answered_by_id,
            "answeredAt": messages.milliseconds(now()),
            "token": answer.token,
        }

    # How

    async def _stay(self, request: WaitRequest, wait_id: str) -> dict[str, Json] | None:
        """A cancel closes it too; the next activity writes that, the final one at the latest."""
        self._begin(request.place)
        await self._progress.make_room()
        batch = self._progress.take_batch()
        wanted = messages.open_wait(self._progress.run_id, batch, request, wait_id)
        wait = self._enter(wait_id, request.kind)
        outcome = WaitStatus.CANCELED
        try:
            answer: WaitAnswer = await self._progress.write(
                contract.ACTIVITY_OPEN_WAIT, wanted, WaitAnswer, batch
            )
            self._progress.heed(answer)
            self._opened(wait, answer)
            await self._until_it_comes(wait, request.until)
            outcome = WaitStatus.RESOLVED
        finally:
            self._leave(wait_id, wait, outcome)
        return wait.came

    def _enter(self, wait_id: str, kind: str) -> _Wait:
        wait = self._waits[wait_id] = _Wait(kind)
        early = self._early.pop(wait_id, None)
        if isinstance(early, EventSignal):
            self.take_event(early)
        elif early is not None:
            self.take_release(early)
        return wait

    def _opened(self, wait: _Wait, answer: WaitAnswer) -> None:
        """Raises StepFailed where the store could not open it."""
        self.counted = answer.counted
        if answer.problem is not None:
            raise StepFailed(Category.VALIDATION, answer.problem)
        wait.form, wait.is_open = answer.form, True
        if answer.event is not None:
            found = answer.event
            self._progress.budget.answered(result_bytes=messages.size(found))
            _end_by_event(
                wait,
                EventSignal("", found["eventId"], found["eventName"], found.get("payload")),
            )

    async def _until_it_comes(self, wait: _Wait, until: datetime | None) -> None:
        if wait.kind == WaitType.TIME and until is not None:
            await self._progress.sleep(until - now())
            return
        began = workflow.info().get_current_history_length()
        left = None if until is None else until - now()
        if wait.came is None and (left is None or left > timedelta(0)):
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: wait.came is not None, timeout=left)
        if workflow.info().get_current_history_length() != began:
            self._progress.renew()
        calls.raise_if_cancelled()
        if wait.answer is not None and workflow.patched(ANSWERS_ARE_DURABLE):
            # Unlike a signal, an update is in the history only when its workflow task has ended. A
            # row that were written before would tell of an answer that may never have been given.
            await self._progress.boundary()

    def _leave(self, wait_id: str, wait: _Wait, outcome: str) -> None:
        del self._waits[wait_id]
        task = None
        if wait.kind == WaitType.HUMAN:
            task = _ended_task(wait, outcome)
            if wait.answer is not None:
                _remember(self._answered, wait_id, wait.answer)
        event_id = wait.event_id if outcome == WaitStatus.RESOLVED else None
        known: dict[str, Json] = {}
        if wait.kind == WaitType.EVENT:
            known["matchedEventId"] = event_id
        elif wait.kind == WaitType.HUMAN and wait.answer is not None:
            known["eventName"] = COMPLETED
        self._outbox.close_wait(
            messages.closed_wait(wait_id, outcome, now(), known, event_id=event_id, task=task)
        )

    def _pause_id(self, place: StepPlace) -> str:
        """A step may have to pause more than once: each time is a wait of its own."""
        key = (contract.occurrence(place.path, list(place.iter)), place.attempt)
        count = self._pauses[key] = self._pauses.get(key, 0) + 1
        name = WaitType.QUOTA if count == 1 else f"{WaitType.QUOTA}{count}"
        return messages.wait_id(self._progress.run_id, place, name)

    def _begin(self, place: StepPlace) -> None:
        self._progress.stand(place.position)
        self._outbox.path = place.path


def _end_by_event(wait: _Wait, signal: EventSignal) -> None:
    """The first one counts: a second is still there for a later wait."""
    if wait.came is None:
        wait.event_id = signal.event_id
        wait.came = {"eventName": signal.event_name, "payload": signal.payload}


def _ended_task(wait: _Wait, outcome: str) -> dict[str, Json]:
    if wait.answer is not None:
        return {"status": "ANSWERED", **wait.answer}
    return {"status": "EXPIRED" if outcome == WaitStatus.RESOLVED else "CANCELED"}


def _remember(kept: MutableMapping[str, Any], name: str, value: Any) -> None:
    kept[name] = value
    if len(kept) > _REMEMBERED:
        del kept[next(iter(kept))]
