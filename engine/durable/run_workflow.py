"""RunWorkflow: claims its run, interprets the plan, and writes how it ended (architecture.md 3).

One of these executes every run. It ends in Temporal as its row says: completed, failed with the
error's category as type, or cancelled.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from engine import contract, contract_waits
from engine.contract import Json, RunResult, RunStart
from engine.durable import calls, messages
from engine.durable.children import reported
from engine.durable.host import TemporalHost
from engine.durable.progress import Progress
from engine.durable.wire import unpack
from engine.errors import Category, RunOver, StepFailed
from engine.interpreter.checkpoint import CheckpointReached
from engine.interpreter.interpreter import Interpreter
from engine.runs.status import RunStatus

T = TypeVar("T")

NOT_CLAIMED: Final = "NOT_CLAIMED"
RUN_OVER: Final = "RUN_OVER"
"""The row became terminal from outside while the workflow was executing."""

CHECKPOINT_INLINE_BYTES: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class _End:
    status: RunStatus
    error: dict[str, Json] | None = None
    scopes: dict[str, Json] | None = None
    """For the parent that asked for them."""


@workflow.defn(name=contract.WORKFLOW_TYPE)
class RunWorkflow:
    @workflow.init
    def __init__(self, start: RunStart) -> None:
        self._start = start
        self._progress = Progress(start.run_id, start.ordinal)
        self._host = TemporalHost(self._progress)
        self._interpreter: Interpreter | None = None

    @workflow.run
    async def run(self, start: RunStart) -> RunResult:
        claim = contract.Claim(start.run_id, workflow.info().first_execution_run_id, start.ordinal)
        claimed = await calls.insist(
            calls.write(contract.ACTIVITY_CLAIM_RUN, claim, contract.Claimed, self._progress.budget)
        )
        if not claimed.granted:
            return RunResult(NOT_CLAIMED)
        try:
            end = await self._execute(claimed)
        except RunOver:
            return RunResult(RUN_OVER)
        except asyncio.CancelledError:
            end = _End(RunStatus.CANCELED)
        status = await calls.insist(self._finish(end))
        return _closed(status, end)

    @workflow.query(name=contract.QUERY_POSITION)
    def position(self) -> dict[str, Any]:
        if self._interpreter is None:
            return {"path": None, "steps": 0}
        return self._interpreter.position

    @workflow.signal(name=contract_waits.SIGNAL_EVENT)
    def take_event(self, packed: Any) -> None:
        signal = _readable(contract_waits.EventSignal, packed)
        if signal is not None:
            self._host.waits.take_event(signal)

    @workflow.signal(name=contract_waits.SIGNAL_QUOTA_RELEASED)
    def take_release(self, packed: Any) -> None:
        signal = _readable(contract_waits.QuotaReleased, packed)
        if signal is not None:
            self._host.waits.take_release(signal)

    @workflow.update(name=contract_waits.UPDATE_ANSWER_TASK)
    def take_answer(self, packed: Any) -> None:
        self._host.waits.take_answer(unpack(contract_waits.TaskAnswer, packed))

    @take_answer.validator
    def check_answer(self, packed: Any) -> None:
        self._host.waits.check_answer(unpack(contract_waits.TaskAnswer, packed))

    async def _execute(self, claimed: contract.Claimed) -> _End:
        calls.raise_if_cancelled()
        if claimed.error is not None:
            return _End(RunStatus.FAILED, claimed.error)
        try:
            return await self._interpret(claimed)
        except CheckpointReached as reached:
            await self._continue(reached.checkpoint)
            raise AssertionError("continue-as-new has not ended the execution") from None
        except StepFailed as failed:
            # The host's own: a stored plan or checkpoint that is gone.
            return _End(RunStatus.FAILED, failed.as_data())
        except (RecursionError, MemoryError) as error:
            # The document's or its data's doing: the same would happen at every try.
            unable = StepFailed(
                Category.INTERPRETER, f"The run cannot be executed: {type(error).__name__}."
            )
            return _End(RunStatus.FAILED, unable.as_data())

    async def _interpret(self, claimed: contract.Claimed) -> _End:
        plan = await self._whole(claimed.plan)
        checkpoint = await self._whole(self._start.checkpoint)
        try:
            interpreter = Interpreter(
                plan,
                self._host,
                payload=claimed.payload,
                meta=claimed.meta,
                system=claimed.system,
                checkpoint=checkpoint,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StepFailed(
                Category.INTERPRETER, f"The version's plan cannot be executed: {error}"
            ) from error
        self._interpreter = interpreter
        self._host.waits.counted = claimed.counted
        outcome = await interpreter.run()
        calls.raise_if_cancelled()
        if not self._start.wants_scopes or outcome.status != RunStatus.SUCCEEDED:
            return _End(outcome.status, outcome.error)
        return _End(outcome.status, scopes=await reported(self._progress, outcome.scopes))

    async def _whole(self, value: Json) -> Json:
        """What came by reference, fetched."""
        if isinstance(value, dict) and contract.REFERENCE_KEY in value:
            return await self._progress.fetch(value[contract.REFERENCE_KEY])
        return value

    async def _continue(self, checkpoint: Json) -> None:
        """Go on in a new execution, with everything written that this one has done."""
        if messages.size(checkpoint) > CHECKPOINT_INLINE_BYTES:
            checkpoint = await self._progress.store(checkpoint)
        else:
            await self._progress.flush()
        await self._progress.boundary()
        ordinal = self._start.ordinal + 1
        workflow.continue_as_new(replace(self._start, ordinal=ordinal, checkpoint=checkpoint))

    async def _finish(self, end: _End) -> str:
        """The final projection. Nothing but the closing command follows it (docs/rules.md 4)."""
        try:
            await self._host.settle_down()
        except RunOver:
            return RUN_OVER
        finish = contract.Finish(
            self._start.run_id, self._progress.take_batch(), end.status, end.error
        )
        finished = await calls.finish(contract.ACTIVITY_FINISH_RUN, finish, contract.Finished)
        return finished.status


def _closed(status: str, end: _End) -> RunResult:
    """End in Temporal as the row says."""
    if status == end.status == RunStatus.CANCELED:
        raise asyncio.CancelledError
    if status != RunStatus.FAILED or end.error is None:
        return RunResult(status, end.scopes if status == end.status else None)
    raise ApplicationError(
        str(end.error.get("message", "The run failed.")),
        end.error,
        type=str(end.error.get("category", Category.INTERPRETER)),
        non_retryable=True,
    )


def _readable(kind: type[T], packed: Any) -> T | None:
    """A signal that somebody else has sent by hand must not stop the run."""
    try:
        return unpack(kind, packed)
    except (TypeError, AttributeError, KeyError):
        workflow.logger.warning("a signal that is no %s was passed over", kind.__name__)
        return None
