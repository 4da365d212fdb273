"""Telling running workflows something: signals, and updates that they may refuse (rules.md 7)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from engine.contract import Json
from engine.gateway.connect import RPC_TIMEOUT
from engine.gateway.executions import Signal, UpdateOutcome, UpdateState
from engine.gateway.unknown import is_unknown_workflow

ACCEPT_WITHIN_S: Final = 10.0
UPDATE_TIMEOUT_S: Final = 15.0
"""For the whole call."""
SIGNALS_AT_ONCE: Final = 20
SIGNALS_A_CALL: Final = 200

_OUTCOME_WITHIN_S: Final = 2.0
"""The handler does not wait for anything: its outcome comes with the acceptance."""


async def signal(client: Client, one: Signal, limit: asyncio.Semaphore) -> bool | None:
    """As `RunGateway.signal_runs`, for one."""
    handle = client.get_workflow_handle(one.workflow_id)
    async with limit:
        try:
            await handle.signal(one.name, one.argument, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            return False if is_unknown_workflow(error) else None
    return True


async def update(
    client: Client, workflow_id: str, name: str, argument: Json, update_id: str
) -> UpdateOutcome:
    """As `RunGateway.update_run`. Raises RPCError when Temporal does not take it."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        started: WorkflowUpdateHandle[None] = await asyncio.wait_for(
            handle.start_update(
                name,
                argument,
                id=update_id,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                rpc_timeout=timedelta(seconds=ACCEPT_WITHIN_S),
            ),
            ACCEPT_WITHIN_S,
        )
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
        return UpdateOutcome(UpdateState.UNCONFIRMED)
    except RPCError as error:
        if is_unknown_workflow(error):
            return UpdateOutcome(UpdateState.UNKNOWN)
        raise
    return await _outcome(started)


async def _outcome(started: WorkflowUpdateHandle[None]) -> UpdateOutcome:
    """A refusal comes as an outcome; without one the update is in history, and holds."""
    try:
        await asyncio.wait_for(started.result(), _OUTCOME_WITHIN_S)
    except WorkflowUpdateFailedError as failed:
        cause = failed.cause
        if not isinstance(cause, ApplicationError):
            return UpdateOutcome(UpdateState.REFUSED, details=str(cause))
        details = cause.details[0] if cause.details else None
        return UpdateOutcome(UpdateState.REFUSED, cause.type or "", details)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError, RPCError):
        pass
    return UpdateOutcome(UpdateState.ACCEPTED)
