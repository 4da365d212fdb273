"""control.callWorkflow: the target, its version, its input contract, and how deep calls go."""

from __future__ import annotations

from engine.definitions.checks.checked import Checked
from engine.definitions.checks.inputs import InputCheck
from engine.definitions.findings import did_you_mean
from engine.definitions.walk import RawStep
from engine.definitions.workflows import MAX_CALL_DEPTH, PublishedWorkflow, Workflows


def check_calls(checked: Checked) -> None:
    for step in checked.steps:
        if step.kind == "control.callWorkflow":
            key = step.text("workflowId")
            if key is not None:
                _check_call(checked, step, key)


def _check_call(checked: Checked, step: RawStep, key: str) -> None:
    if key == checked.data.get("id"):
        checked.error(step, "WORKFLOW_CALLS_ITSELF", f"{key} cannot call itself.")
        return
    target = _target(checked, step, key)
    if target is None:
        return
    mapping = step.config.get("inputMapping", {})
    if isinstance(mapping, dict) and target.payload_schema is not None:
        InputCheck(checked, step, target.payload_schema).check(mapping)
    _check_depth(checked, step, target)


def _target(checked: Checked, step: RawStep, key: str) -> PublishedWorkflow | None:
    version = step.config.get("workflowVersion")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        return None  # the shape of the document says so
    target = checked.workflows.find(key, version)
    if target is not None:
        return target
    versions = checked.workflows.versions(key)
    if versions:
        checked.error(
            step,
            "UNKNOWN_WORKFLOW_VERSION",
            f"{key} has no published version {version}.",
            f"There is version {', '.join(map(str, versions))}.",
        )
    else:
        checked.error(
            step,
            "UNKNOWN_WORKFLOW",
            f"There is no published workflow {key}.",
            did_you_mean(key, checked.workflows.keys()),
        )
    return None


def _check_depth(checked: Checked, step: RawStep, target: PublishedWorkflow) -> None:
    own = checked.data.get("id")
    level = [target]
    for _ in range(MAX_CALL_DEPTH):
        if any(key == own for caller in level for key, _ in caller.calls):
            message = f"{target.key} leads back to {own}: calls go round in a circle."
            checked.error(step, "WORKFLOW_CALL_CYCLE", message)
            return
        level = _called_by(level, checked.workflows)
        if not level:
            return
    message = f"Calls below {target.key} go deeper than {MAX_CALL_DEPTH} levels."
    checked.error(step, "WORKFLOW_CALLS_TOO_DEEP", message)


def _called_by(callers: list[PublishedWorkflow], workflows: Workflows) -> list[PublishedWorkflow]:
    called = {name: workflows.find(*name) for caller in callers for name in caller.calls}
    return [workflow for workflow in called.values() if workflow is not None]
