"""control.callWorkflow: a run of another workflow, waited for; every attempt is a new child run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.contract import Json
from engine.interpreter import fields
from engine.interpreter.host import ChildRequest
from engine.interpreter.open_step import OpenStep
from engine.interpreter.recorded import shown

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def control_call_workflow(branch: Branch, opened: OpenStep) -> bool:
    if "payload" not in opened.kept:
        opened.kept["payload"] = await fields.value(branch, opened, "inputMapping") or {}
    payload = opened.kept["payload"]
    opened.input = shown(branch.execution.account, payload)
    with branch.inside(opened):
        await branch.admit(opened)
        child = await branch.execution.host.start_child(_request(opened, payload))
    opened.performed = True
    written = await fields.write_all(branch, opened, "outputMapping", {"childRun": child})
    opened.output = fields.by_scope(written)
    return False


def _request(opened: OpenStep, payload: Json) -> ChildRequest:
    config = opened.config
    return ChildRequest(
        opened.place,
        config["workflowId"],
        config["workflowVersion"],
        payload,
        wants_scopes=bool(config.get("outputMapping")),
    )
