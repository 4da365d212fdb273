"""The sandbox of our workflow: which modules it shares with the worker instead of importing anew.

All are pure (import-linter holds them to it), so that nothing can leak from one run to another;
passing them through is what makes starting and replaying a run cheap (docs/measured.md 3).
"""

from __future__ import annotations

from typing import Final

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from engine.durable.sandbox_entry import QuickSandbox

PASSED_THROUGH: Final = (
    "engine.contract",
    "engine.contract_children",
    "engine.contract_waits",
    "engine.durable.budget",
    "engine.durable.calls",
    "engine.durable.children",
    "engine.durable.host",
    "engine.durable.messages",
    "engine.durable.outbox",
    "engine.durable.progress",
    "engine.durable.waits",
    "engine.durable.wire",
    "engine.definitions",
    "engine.errors",
    "engine.expressions",
    "engine.interpreter",
    "engine.runs",
    "jsonata",
    "pydantic",
    "pydantic_core",
    "re2",
    "_re2",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
)


def workflow_runner() -> SandboxedWorkflowRunner:
    """For `Worker(workflow_runner=…)` and for `Replayer`."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return QuickSandbox(restrictions=restrictions)
