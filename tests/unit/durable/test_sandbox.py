"""What the workflow may load and do (docs/architecture.md 2): checked without a server."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from temporalio.workflow import _Definition

from engine.durable.run_workflow import RunWorkflow
from engine.durable.sandbox import PASSED_THROUGH, workflow_runner


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
