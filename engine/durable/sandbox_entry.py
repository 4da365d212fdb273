"""Entering the sandbox as cheaply as its guard allows.

The SDK enters a workflow's sandbox eight times a local step, each time compiling the line that it
executes in there: once to go on with the workflow, the others to ask which context the converter of
one payload is to be given. That was half of what the workflow's side of such a step cost. Here a
line is compiled once, and the contexts, which no converter and no codec of ours looks at, are known
without asking. What the workflow may load and call is guarded as before.

The SDK calls this part of it unstable: its version is pinned, and a test enters this sandbox.
"""

from __future__ import annotations

from functools import lru_cache
from types import CodeType
from typing import Any

from temporalio.converter import StorageDriverStoreContext, WorkflowSerializationContext
from temporalio.worker import WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox._runner import _Instance

_NO_STORE = StorageDriverStoreContext(target=None)


class QuickSandbox(SandboxedWorkflowRunner):
    def create_instance(self, det: Any) -> WorkflowInstance:
        return _QuickInstance(det, self.runner_class, self.restrictions)


class _QuickInstance(_Instance):
    def get_serialization_context(self, command_info: Any) -> WorkflowSerializationContext:
        info = self.instance_details.info
        return WorkflowSerializationContext(namespace=info.namespace, workflow_id=info.workflow_id)

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        """Nothing is kept in an external store of the SDK's."""
        return _NO_STORE

    def _run_code(self, code: str, **extra_globals: Any) -> None:
        super()._run_code(_compiled(code), **extra_globals)  # type: ignore[arg-type]


@lru_cache
def _compiled(code: str) -> CodeType:
    return compile(code, "<sandbox>", "exec")
