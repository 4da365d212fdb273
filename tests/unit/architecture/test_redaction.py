"""Pages get redacted values only, but for the one that reveals (docs/architecture.md 4)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.architecture import repository

GIVEN = {
    "engine/services/launch_run.py: LaunchRequest.payload",
    "engine/services/simulate_definition.py: SimulationRequest.payload",
}
"""What comes in: nothing of it is shown."""
REVEALED = "engine/services/reveal_run.py: Revealed.payload"
"""The one exception: what an admin asked for, with a reason, and is audited."""
REVEAL_PAGE = Path("blueprints/runs/reveal.py")
REVEAL_TEMPLATE = Path("templates/runs/_run-reveal.html")
RAW = {"input_json", "output_json", "error_json", "value_json", "trigger_metadata_json"}
MASKS = {"payload", "value", "step_output", "text", "error_view"}


def clear_fields(module: ast.Module) -> Iterator[str]:
    """Fields of classes that hold a `Payload`: Class.field."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and "Payload" in _names(part.annotation):
                    yield f"{node.name}.{ast.unparse(part.target)}"


def shown_raw(module: ast.Module) -> list[str]:
    """Columns with a run's data that are read for anything but to be masked at once."""
    masked = {
        id(argument)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and _called(node) in MASKS
        for argument in node.args
    }
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and node.attr in RAW and id(node) not in masked
    ]


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)


def test_no_view_holds_a_payload_unmasked_but_that_of_a_reveal() -> None:
    found = {
        f"{path}: {field}"
        for path in repository.under("engine/services/", "blueprints/", suffix=".py")
        for field in clear_fields(repository.tree(path))
    }
    assert found == GIVEN | {REVEALED}


def test_only_the_page_that_reveals_gets_it() -> None:
    users = [
        path
        for path in repository.product_python()
        for node in ast.walk(repository.tree(path))
        if isinstance(node, ast.ImportFrom)
        and node.module == "engine.services.reveal_run"
        and {alias.name for alias in node.names} & {"Revealed", "reveal_run"}
    ]
    assert users == [REVEAL_PAGE]
    templates = repository.under("templates/", suffix=".html")
    assert [p for p in templates if ".revealed" in repository.text(p)] == [REVEAL_TEMPLATE]


def test_no_view_reads_a_runs_data_but_to_mask_it() -> None:
    found = [
        f"{path}:{place}"
        for path in repository.under("blueprints/", suffix=".py")
        for place in shown_raw(repository.tree(path))
    ]
    assert found == []


def test_what_would_show_one_is_found() -> None:
    module = ast.parse(
        "class Page:\n    shown: Payload | None\n    masked: RedactedPayload\n"
        "text = opened.run.input_json\n"
        "fine = opened.redaction.payload(opened.run.input_json)\n"
    )
    assert list(clear_fields(module)) == ["Page.shown"]
    assert shown_raw(module) == ["4: opened.run.input_json"]
