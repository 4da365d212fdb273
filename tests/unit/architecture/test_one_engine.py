"""One engine, one queue, and nothing that could choose another (PRD goals 1 and 2)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from engine.contract import TASK_QUEUE
from engine.settings import Settings
from tests.unit.architecture import repository

# Built from parts: the names themselves occur nowhere in the repository.
ORIGINAL = "_".join(["WORKFLOW", "RUNTIME", "V2"])
FLAGS = f"{ORIGINAL}_" + "ENABLE"
ORIGINAL_QUEUE = f"{ORIGINAL}_" + "TEMPORAL"
QUEUE_VARIABLE = re.compile(r"\b[A-Z0-9_]+_TASK_QUEUES?\b|\bQUEUE_NAMES?\b|\b[A-Z0-9]+_QUEUE\b")
GONE = re.compile(r"retry|resume|requeue", re.IGNORECASE)


@pytest.mark.parametrize("word", [FLAGS, ORIGINAL_QUEUE], ids=["engine flags", "queue variable"])
def test_the_originals_variables_occur_nowhere(word: str) -> None:
    assert [str(path) for path in repository.files() if word in repository.text(path)] == []


def test_no_variable_of_a_queue_occurs() -> None:
    found = {
        f"{path}: {match[0]}"
        for path in repository.files()
        if path.suffix in {".py", ".yaml", ".yml", ".toml", ".md", ".sh", ""}
        and path != Path(__file__).relative_to(repository.ROOT)
        for match in QUEUE_VARIABLE.finditer(repository.text(path))
        if match[0] != "TASK_QUEUE"
    }
    assert found == set()


def test_no_setting_chooses_an_engine_or_a_queue() -> None:
    assert [name for name in Settings.model_fields if "queue" in name or "engine" in name] == []


def queues_given(module: ast.Module) -> list[ast.expr]:
    """What is passed as `task_queue=` to anything."""
    return [
        keyword.value
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "task_queue"
    ]


def is_the_constant(value: ast.expr) -> bool:
    """`TASK_QUEUE`, or Temporal's message made of it; never a text of its own."""
    parts = list(ast.walk(value))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    attributes = {part.attr for part in parts if isinstance(part, ast.Attribute)}
    typed = any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)
    return "TASK_QUEUE" in names | attributes and not typed


def imports_the_constant(module: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module in {"engine.contract", "engine"}
        and {"TASK_QUEUE", "contract"} & {alias.name for alias in node.names}
        for node in ast.walk(module)
    )


def test_every_queue_given_to_temporal_is_the_contracts_constant() -> None:
    typed = [
        f"{path}:{value.lineno}"
        for path in repository.product_python()
        for value in queues_given(repository.tree(path))
        if not is_the_constant(value)
    ]
    assert typed == []


def test_producer_and_worker_both_import_it() -> None:
    for room in ["engine/gateway/", "worker.py"]:
        modules = [repository.tree(path) for path in repository.under(room, suffix=".py")]
        assert any(imports_the_constant(module) for module in modules), room


def test_the_queues_name_is_typed_once() -> None:
    typed = [
        str(path)
        for path in repository.product_python()
        for node in ast.walk(repository.tree(path))
        if isinstance(node, ast.Constant) and node.value == TASK_QUEUE
    ]
    assert typed == ["engine/contract.py"]


def test_a_retyped_queue_would_be_found() -> None:
    [queue] = queues_given(ast.parse('client.start_workflow("x", task_queue="run-studio")'))
    assert not is_the_constant(queue)


def routes(module: ast.Module) -> list[str]:
    """The addresses in `@….route("…")`, `.get`, `.post` and `add_url_rule`."""
    return [
        node.args[0].value
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"route", "get", "post", "put", "delete", "add_url_rule"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and node.args[0].value.startswith("/")
    ]


def test_no_route_is_named_retry_resume_or_requeue() -> None:
    addresses = [
        address
        for path in repository.under("blueprints/", "app.py", suffix=".py")
        for address in routes(repository.tree(path))
    ]
    assert [address for address in addresses if GONE.search(address)] == []


def test_such_a_route_would_be_found() -> None:
    [address] = routes(ast.parse('@bp.post("/<run_id>/resume")\ndef f(): ...'))
    assert GONE.search(address)


def test_the_engine_is_only_ever_written_as_temporal() -> None:
    """`engine=` given to a row, or set on one, is 'temporal' and nothing else."""
    others = [
        f"{path}:{node.value.lineno}"
        for path in repository.product_python()
        for node in ast.walk(repository.tree(path))
        if isinstance(node, ast.keyword)
        and node.arg == "engine"
        and isinstance(node.value, ast.Constant)
        and node.value.value != "temporal"
    ]
    assert others == []
