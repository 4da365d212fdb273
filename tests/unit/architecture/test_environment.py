"""The environment is read in one typed place (docs/rules.md 12)."""

from __future__ import annotations

import ast
import re

from tests.unit.architecture import repository

MAY_READ = {
    "engine/settings.py": "every setting",
    "engine/actions/secrets.py": "SECRET_<NAME>, whose names authors choose",
}


def reads_environment(module: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
        for node in ast.walk(module)
    ) or any(
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and {"environ", "getenv"} & {alias.name for alias in node.names}
        for node in ast.walk(module)
    )


def test_only_settings_and_secrets_read_the_environment() -> None:
    readers = {
        path.as_posix()
        for path in repository.product_python()
        if reads_environment(repository.tree(path))
    }
    assert readers <= set(MAY_READ)


def test_a_reader_of_the_environment_would_be_found() -> None:
    assert reads_environment(ast.parse('import os\nos.environ.get("X")'))
    assert reads_environment(ast.parse("from os import getenv"))


def test_the_locks_pin_every_package_by_hash_and_name_no_registry() -> None:
    for name in ["requirements.lock", "requirements-dev.lock"]:
        lock = (repository.ROOT / name).read_text()
        entries = re.split(r"\n(?=\S)", lock.strip())
        assert all("--hash=sha256:" in entry for entry in entries if "==" in entry), name
        assert "://" not in lock, name
        assert "--index-url" not in lock, name


def test_the_developers_lock_holds_the_products_lock() -> None:
    def pins(name: str) -> set[str]:
        lock = (repository.ROOT / name).read_text()
        return set(re.findall(r"^(\S+==[^\s;\\]+)", lock, flags=re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
