"""What the workflow may load and do (docs/architecture.md 2): checked without a server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    DataConverter,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.worker import WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import (
    RestrictedWorkflowAccessError,
    SandboxedWorkflowRunner,
)
from temporalio.worker.workflow_sandbox._runner import _fake_info
from temporalio.workflow import _Definition

from engine.durable.run_workflow import RunWorkflow
from engine.durable.sandbox import PASSED_THROUGH, workflow_runner
from engine.gateway.codec import EncryptionCodec

RUNNER = workflow_runner()


def test_the_workflow_loads_in_its_sandbox() -> None:
    async def prepare() -> None:
        workflow_runner().prepare_workflow(_Definition.must_from_class(RunWorkflow))

    asyncio.run(prepare())


def test_what_is_passed_through_brings_no_store_no_web_and_no_activity() -> None:
    """In a process of its own: this one has loaded everything."""
    ours = [name for name in PASSED_THROUGH if name.startswith("engine.")]
    program = (
        f"import importlib, sys\n"
        f"for name in {ours!r}: importlib.import_module(name)\n"
        "wrong = {'flask', 'sqlalchemy', 'httpx', 'engine.store', 'engine.services',"
        " 'engine.activities', 'engine.actions'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {sorted(wrong)}' if wrong else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["engine.durable.run_workflow", "engine.store", "temporalio"])
def test_what_must_be_isolated_is_not_passed_through(name: str) -> None:
    assert name not in PASSED_THROUGH


def test_the_sandbox_that_is_entered_cheaply_refuses_what_workflows_must_not_do() -> None:
    instance = asyncio.run(_instance())
    instance.importer.restriction_context.is_runtime = True

    with pytest.raises(RestrictedWorkflowAccessError):
        _execute(instance, "open('/dev/null')")
    with pytest.raises(RestrictedWorkflowAccessError):
        _execute(instance, "import time; time.sleep(0)")


def test_the_contexts_of_payloads_are_known_without_entering_the_sandbox() -> None:
    instance = asyncio.run(_instance())
    _execute(instance, "__temporal_in_sandbox = None")
    context = WorkflowSerializationContext(
        namespace=_fake_info.namespace, workflow_id=_fake_info.workflow_id
    )

    assert instance.get_serialization_context(None) == context
    assert instance.get_external_store_context(None).target is None


def test_the_workflow_s_module_in_the_sandbox_is_a_copy_for_all_runs_without_state() -> None:
    """What one run could leave in it another would find."""
    first, second = asyncio.run(_instance(RUNNER)), asyncio.run(_instance(RUNNER))
    module = first.importer.new_modules[RunWorkflow.__module__]

    assert module is second.importer.new_modules[RunWorkflow.__module__]
    assert module is not sys.modules[RunWorkflow.__module__]
    assert _state_in(module) == {}
    assert _state_in(module.RunWorkflow) == {}


def test_a_run_that_is_loaded_does_not_lift_the_guard_of_one_that_executes_beside_it() -> None:
    instance = asyncio.run(_instance(RUNNER))
    context = instance.importer.restriction_context
    context.is_runtime = True
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(_instance(RUNNER))).result()

    with pytest.raises(RestrictedWorkflowAccessError):
        _execute(instance, "open('/dev/null')")


def test_nothing_that_converts_payloads_looks_at_their_contexts() -> None:
    """Else `QuickSandbox` would have to tell an activity's from its workflow's."""
    converter = DataConverter.default
    for kind in (EncryptionCodec, converter.failure_converter_class):
        assert not issubclass(kind, WithSerializationContext)
    assert converter.external_storage is None


def _state_in(holder: Any) -> dict[str, Any]:
    """What its attributes hold that can change."""
    return {
        name: value
        for name, value in vars(holder).items()
        if isinstance(value, list | dict | set | bytearray)
        and not (name.startswith("__") and name.endswith("__"))
    }


async def _instance(runner: SandboxedWorkflowRunner | None = None) -> Any:
    details = WorkflowInstanceDetails(
        payload_converter_factory=DataConverter.default._new_payload_converter,
        failure_converter_class=DataConverter.default.failure_converter_class,
        interceptor_classes=[],
        defn=_Definition.must_from_class(RunWorkflow),
        info=_fake_info,
        randomness_seed=-1,
        extern_functions={},
        disable_eager_activity_execution=False,
        worker_level_failure_exception_types=[],
        patch_activation_callback=None,
        last_completion_result=Payloads(),
        last_failure=Failure(),
    )
    return (runner or workflow_runner()).create_instance(details)


def _execute(instance: Any, line: str) -> None:
    instance._run_code(
        f"with __temporal_importer.applied():\n  {line}\n", __temporal_importer=instance.importer
    )
