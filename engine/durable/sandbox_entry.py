"""Entering the sandbox as cheaply as its guard allows.

As it comes, the SDK loads the workflow's module anew for each run, and enters the sandbox eight
times a local step, each time compiling the line that it executes in there: once to go on with the
workflow, the others to ask which context the converter of one payload is to be given. Together that
was a third of what a worker did for a run of ten steps. Here the sandbox has its own copy of the
module, apart from the worker's, but one for all runs: it holds no state, like the modules that are
passed through. A line is compiled once, and the contexts, which no converter and no codec of ours
looks at, are known without asking. What the workflow may load and call is guarded as before.

The SDK calls this part of it unstable: its version is pinned, and a test enters this sandbox.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from temporalio.converter import StorageDriverStoreContext, WorkflowSerializationContext
from temporalio.worker import WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext
from temporalio.worker.workflow_sandbox._runner import _Instance

_NO_STORE = StorageDriverStoreContext(target=None)


class _ThreadsContext(RestrictionContext, threading.local):
    """Runs of one sandbox are activated side by side, each in a thread: whether the workflow
    executes, and is not only loaded, is another matter in each."""


@dataclass(frozen=True)
class QuickSandbox(SandboxedWorkflowRunner):
    _importers: dict[str, Importer] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By the workflow's module."""

    def create_instance(self, det: Any) -> WorkflowInstance:
        module = det.defn.cls.__module__
        importer = self._importers.get(module)
        if importer is None:
            importer = self._importers[module] = _importer(self.restrictions, module)
        return _QuickInstance(det, self.runner_class, self.restrictions, importer)


def _importer(restrictions: SandboxRestrictions, module: str) -> Importer:
    return Importer(restrictions, _ThreadsContext(), workflow_module_name=module)


class _QuickInstance(_Instance):
    def __init__(
        self, det: Any, runner: Any, restrictions: SandboxRestrictions, importer: Importer
    ) -> None:
        self._shared = importer
        super().__init__(det, runner, restrictions)

    def _create_instance(self) -> None:
        self.importer = self._shared
        super()._create_instance()

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
