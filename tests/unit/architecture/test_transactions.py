"""Services commit; nothing else does (docs/architecture.md 2)."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.unit.architecture import repository

WRITES = {"writing", "commit"}
ALLOWED = ("engine/services/", "engine/store/session.py", "engine/store/schema.py")


def writing_calls(module: ast.Module) -> list[int]:
    """Lines of calls of `….writing(…)` and `….commit(…)`."""
    return sorted(
        node.lineno
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
    )


def test_only_services_commit() -> None:
    elsewhere = [
        f"{path}:{line}"
        for path in repository.product_python()
        if not path.as_posix().startswith(ALLOWED)
        for line in writing_calls(repository.tree(path))
    ]
    assert elsewhere == []


def test_a_commit_elsewhere_would_be_found() -> None:
    source = "with services.store.writing() as session:\n    pass\ndb.session.commit()\n"
    assert writing_calls(ast.parse(source)) == [1, 3]


def test_services_do_write() -> None:
    services = repository.under("engine/services/", suffix=".py")
    assert any(writing_calls(repository.tree(path)) for path in services)


def test_store_functions_only_use_the_session_they_are_given() -> None:
    """No query function makes a session: its caller decides what one transaction holds."""
    made = [
        f"{path}:{node.lineno}"
        for path in repository.under("engine/store/", suffix=".py")
        if path != Path("engine/store/session.py")
        for node in ast.walk(repository.tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Session", "sessionmaker", "scoped_session"}
    ]
    assert made == []
