"""How far the workflow has come: what is to be written, and when its task must end.

A chain of local activities is one workflow task and durable only at its end, so that boundaries
are made in between (docs/rules.md 3).
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import FailureError

from engine import contract, contract_children, contract_waits
from engine.contract import Batch, Json
from engine.durable import calls
from engine.durable.budget import Budget
from engine.durable.outbox import FULL_BYTES, Outbox, TaskOrder
from engine.errors import Category, RunOver, StepFailed

BOUNDARY: Final = timedelta(milliseconds=1)

CARRIED_BYTES: Final = 64 * 1024
"""A regular activity's input is in history: a larger batch is written before it."""


class Progress:
    def __init__(self, run_id: str, ordinal: int) -> None:
        self.run_id = run_id
        self.outbox = Outbox(run_id, TaskOrder(ordinal))
        self.budget = Budget()

    # Where it stands

    def stand(self, position: int = 0) -> None:
        """Note which workflow task this is; every reading and writing of the outbox begins here."""
        order = self.outbox.order
        order.stand_at(
            workflow.info().get_current_history_length(), workflow.time_ns() // 1_000_000
        )
        order.position = max(order.position, position)

    def take_batch(self) -> Batch:
        self.stand()
        return self.outbox.take()

    def answered(self) -> None:
        """An activity that carried a batch has answered."""
        self.stand()
        self.outbox.order.answered = True

    def heed(
        self,
        answer: contract.ActionAnswer
        | contract.BatchAnswer
        | contract_waits.Admitted
        | contract_waits.WaitAnswer
        | contract_children.ChildLaunched,
    ) -> None:
        """What every answer says beside its own matter. Raises `RunOver`."""
        if answer.run_over:
            raise RunOver("The run has ended.")
        self.budget.answered(asked=answer.take_boundary)
        self.outbox.order.repeated = self.outbox.order.repeated or answer.repeated

    # When its task ends

    async def sleep(self, delay: timedelta) -> None:
        if delay > timedelta(0):
            await workflow.sleep(delay)
            self.renew()

    def renew(self) -> None:
        """A workflow task was completed."""
        self.budget.renew()
        self.stand()

    async def boundary(self) -> None:
        """End the workflow task: what was done is durable, and whoever waits gets in."""
        await self.sleep(BOUNDARY)

    async def make_room(self) -> None:
        """Before a local activity: a boundary where the task has used up what it may."""
        if self.outbox.bytes >= FULL_BYTES:
            await self.flush()
        if self.budget.is_used_up:
            await self.boundary()

    async def breathe(self) -> None:
        """Within pure work: write and let others in where the task has used up what it may."""
        if self.outbox.is_full or self.budget.is_used_up:
            if not self.outbox.is_empty:
                await self.flush()
            await self.boundary()

    # Writing and reading

    async def write(
        self, activity: str, argument: Any, answer: type[Any], batch: Batch | None = None
    ) -> Any:
        """Insist on an activity that writes rows. A cancel takes effect when it has answered."""
        answered = await self.write_whatever_comes(activity, argument, answer, batch)
        calls.raise_if_cancelled()
        return answered

    async def write_whatever_comes(
        self, activity: str, argument: Any, answer: type[Any], batch: Batch | None = None
    ) -> Any:
        """As `write`, for a caller who sees to a cancel himself."""
        try:
            answered = await calls.insist(calls.write(activity, argument, answer, self.budget))
        except BaseException:
            if batch is not None:
                self.outbox.put_back(batch)
            raise
        self.answered()
        return answered

    async def flush(self) -> None:
        """Write everything that waits, and where the run stands."""
        batch = self.take_batch()
        answer = await self.write(
            contract.ACTIVITY_RECORD_PROGRESS, batch, contract.BatchAnswer, batch
        )
        self.heed(answer)

    async def flush_quietly(self) -> None:
        """As `flush`, beside the interpreter, which learns elsewhere that its run is over."""
        with suppress(RunOver):
            await self.flush()

    async def flush_before_rest(self) -> None:
        """Write what waits, where the workflow task would else end with it: once every branch has
        stopped at something, and no local activity is left after which one could write it."""
        while not self.outbox.is_empty:
            await workflow.wait_condition(lambda: self.budget.open_calls == 0)
            if not self.outbox.is_empty:
                await self.flush_quietly()

    async def lighten(self) -> None:
        """Leave no more in the outbox than a regular activity should carry through history."""
        if self.outbox.bytes > CARRIED_BYTES:
            await self.flush()

    async def store(self, value: Json) -> dict[str, Json]:
        """Keep a large value, and what waits to be written; the reference to it."""
        batch = self.take_batch()
        wanted = contract.CheckpointToStore(self.run_id, batch, value)
        stored = await self.write(
            contract.ACTIVITY_STORE_CHECKPOINT, wanted, contract.Stored, batch
        )
        if stored.reference is None:
            raise RunOver("The run has ended.")
        reference: dict[str, Json] = stored.reference
        return reference

    async def fetch(self, value_id: str) -> Json:
        """A stored value, in pieces. Raises StepFailed(InterpreterError) when it is gone."""
        pieces: list[str] = []
        offset: int | None = 0
        while offset is not None:
            await self.make_room()
            wanted = contract.ValueWanted(self.run_id, value_id, offset)
            try:
                piece = await self.write(contract.ACTIVITY_FETCH_VALUE, wanted, contract.ValuePiece)
            except FailureError as error:
                raise StepFailed(
                    Category.INTERPRETER, "A stored value is gone.", code="VALUE_GONE"
                ) from error
            self.budget.answered(result_bytes=len(piece.text.encode()))
            pieces.append(piece.text)
            offset = piece.next_offset
        return json.loads("".join(pieces))


def now() -> datetime:
    return workflow.now().astimezone(UTC)
