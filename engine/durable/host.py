"""The interpreter's host in production: every call becomes activities and timers of Temporal.

It holds no decisions of the language; when a workflow task ends is decided in `progress`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError

from engine import contract
from engine.contract import Json
from engine.durable import calls, messages
from engine.durable.children import run_child
from engine.durable.patches import ROWS_OF_ENDED_BRANCHES
from engine.durable.progress import Progress, now
from engine.durable.waits import Waits
from engine.errors import Category, StepFailed
from engine.interpreter.host import (
    ActionRequest,
    ChildRequest,
    Performed,
    StepEnd,
    StepPlace,
    ValueRef,
    WaitRequest,
)

INLINE_INPUT_BYTES: Final = 256 * 1024
"""An action's larger input does not go through history."""

_LONG_BACK_OFF: Final = timedelta(seconds=1)


class TemporalHost:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._outbox = progress.outbox
        self.waits = Waits(progress)
        self._settled: set[tuple[str, int]] = set()
        """Attempts of actions whose row says how they ended: a cancel does not change it."""
        self._telling: asyncio.Task[None] | None = None

    # What the interpreter sees

    def now(self) -> datetime:
        return now()

    def record(self, end: StepEnd) -> None:
        self._begin(end.place)
        record = messages.record(end)
        if (record.occurrence, record.attempt) not in self._settled:
            self._outbox.add(record)

    def note_state(self, label: str) -> None:
        self._outbox.note_state(label)

    def note_branch_ended(self, *, all_wait: bool) -> None:
        """Nobody may call again for days: what is there to tell is told beside the branches."""
        if all_wait:
            self._outbox.note_waiting(True)
        tell = self._progress.flush_before_rest
        if not workflow.patched(ROWS_OF_ENDED_BRANCHES):
            if not all_wait:
                return
            tell = self._progress.flush_quietly
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(tell())

    async def perform(self, request: ActionRequest) -> Performed:
        self._begin(request.place)
        while True:
            call = await self._call(request)
            try:
                answer = await self._execute(request, call)
            except asyncio.CancelledError:
                self._outbox.put_back(call.batch)
                raise
            except FailureError as error:
                failed = self._failure(error, call)
                if failed is None:
                    continue
                raise failed from error
            return self._performed(answer, call)

    async def fetch(self, reference: ValueRef) -> Json:
        return await self._progress.fetch(reference.value_id)

    async def wait(self, request: WaitRequest) -> dict[str, Json] | None:
        return await self.waits.wait(request)

    async def wait_quota(
        self, place: StepPlace, quota: dict[str, Json], run_waits: bool = True
    ) -> None:
        await self.waits.pause(place, quota, run_waits)

    async def admit(self, place: StepPlace, started_at: datetime) -> dict[str, Json] | None:
        return await self.waits.admit(place, started_at)

    async def back_off(self, until: datetime) -> None:
        delay = until - now()
        if delay > _LONG_BACK_OFF and not self._outbox.is_empty:
            await self._progress.flush()
        await self._progress.sleep(delay)

    async def start_child(self, request: ChildRequest) -> dict[str, Json]:
        self._begin(request.place)
        return await run_child(self._progress, request)

    async def spend(self, evaluations: int, records: int) -> None:
        self._progress.budget.evaluations += evaluations
        await self._progress.breathe()

    def wants_checkpoint(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    async def settle_down(self) -> None:
        """Before the end: nothing may be under way beside it, nor too much be carried by it."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
        await self._progress.lighten()

    # How

    def _begin(self, place: StepPlace) -> None:
        self._progress.stand(place.position)
        self._outbox.path = place.path

    async def _call(self, request: ActionRequest) -> contract.ActionCall:
        reference = None
        if messages.size(request.input) > INLINE_INPUT_BYTES:
            reference = await self._progress.store(request.input)
        if request.quick:
            await self._progress.make_room()
        else:
            await self._progress.lighten()
        batch = self._progress.take_batch()
        return messages.action_call(self._progress.run_id, batch, request, now(), input=reference)

    async def _execute(
        self, request: ActionRequest, call: contract.ActionCall
    ) -> contract.ActionAnswer:
        name, answer = contract.ACTIVITY_PERFORM_ACTION, contract.ActionAnswer
        if request.quick:
            budget = self._progress.budget
            return await calls.perform_local(name, call, answer, budget, request.timeout_ms)
        summary = f"{request.place.step_id}: {request.action}"
        done = await calls.perform_regular(name, call, answer, request.timeout_ms, summary)
        self._progress.renew()
        return done

    def _failure(self, error: FailureError, call: contract.ActionCall) -> StepFailed | None:
        """What the author may handle; None: it was never answered, and is called again.

        Raises CancelledError, with the failure as its cause where the outcome is not known.
        """
        failed = calls.authored(error)
        if failed is None:
            self._outbox.put_back(call.batch)
            if calls.was_cancelled(error):
                raise asyncio.CancelledError from error
            calls.raise_if_cancelled()
            return None
        self._progress.answered()
        unknown = failed.category in {Category.OUTCOME_UNKNOWN, Category.CANCELLATION}
        if not unknown:
            self._settle(call)
        calls.raise_if_cancelled(failed if unknown else None)
        return failed

    def _performed(self, answer: contract.ActionAnswer, call: contract.ActionCall) -> Performed:
        self._progress.answered()
        self._progress.heed(answer)
        self.waits.counted = answer.counted
        self._progress.budget.answered(took_ms=answer.took_ms, result_bytes=answer.bytes)
        if answer.quota is None:
            self._settle(call)
        calls.raise_if_cancelled()
        if answer.by_reference:
            output = answer.output
            return Performed(ValueRef(output[contract.REFERENCE_KEY], output["bytes"]))
        return Performed(answer.output, answer.quota)

    def _settle(self, call: contract.ActionCall) -> None:
        """Its row says how it ended. Where a cancel follows, the interpreter does not know that."""
        if calls.is_cancelled():
            self._settled.add((contract.occurrence(call.path, call.iter), call.attempt))
