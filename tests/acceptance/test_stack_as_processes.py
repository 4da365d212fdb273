"""T050 without Docker: the compose file's own commands bring up a stack where a run executes.

Run by `make compose-processes`, not by `make test`: building a production Temporal server takes
minutes, and it needs a whole PostgreSQL (docs/operating.md, With Docker Compose).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.compose_check.main import PAYLOAD, WORKFLOW
from scripts.compose_check.operator import Operator
from tests.acceptance.stack_of_processes import PASSWORD, Stack, missing


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    assert missing() is None, missing()
    made = Stack(tmp_path)
    yield made
    made.end()


def test_the_files_commands_and_environments_execute_a_run(stack: Stack) -> None:
    """One-shots twice, as at each `up`; then a run, and one after Temporal was killed."""
    stack.run("secrets")
    stack.make_postgres()
    for _ in range(2):
        stack.run("secrets")
        stack.run("temporal-schema")
    stack.start("temporal")
    stack.wait_until_healthy("temporal")
    for _ in range(2):
        stack.run("temporal-namespace")
        stack.run("migrate")
    for service in ("web", "worker"):
        stack.start(service)
    for service in ("web", "worker"):
        stack.wait_until_healthy(service)
    operator = Operator(stack.url)
    operator.sign_in("admin@localhost", PASSWORD)
    assert operator.outcome(operator.start(WORKFLOW, PAYLOAD), 60) == "SUCCEEDED"

    under_way = operator.start(WORKFLOW, PAYLOAD)
    stack.processes["temporal"].kill()
    stack.processes["temporal"].wait()
    stack.start("temporal")
    stack.wait_until_healthy("temporal")
    assert operator.outcome(under_way, 90) == "SUCCEEDED"
