"""The documents say what is so: settings, rules and their tests, links (rules.md, operating.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.settings import ROOT, Settings
from tests.unit.architecture import repository

OPERATING = ROOT / "docs" / "operating.md"
RULES = ROOT / "docs" / "rules.md"
DOCUMENTS = [path for path in repository.files() if path.suffix == ".md"]
UNSET = {None: "unset", "": "empty", (): "empty"}


def settings_table() -> dict[str, str]:
    """Variable to default, as operators read them."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", OPERATING.read_text(), re.MULTILINE)
    return {name: default.strip("`") for name, default in rows}


def shown(default: object) -> str:
    if isinstance(default, Path):
        return str(default.relative_to(ROOT))
    if isinstance(default, bool):
        return str(default).lower()
    return UNSET.get(default, str(default))  # type: ignore[call-overload, no-any-return]


def test_the_table_of_settings_is_the_settings() -> None:
    fields = Settings.model_fields
    assert settings_table() == {name.upper(): shown(fields[name].default) for name in fields}


def references() -> list[str]:
    """`tests/…/test_x.py::test_name` wherever a document names one."""
    return sorted({
        found
        for path in DOCUMENTS
        for found in re.findall(r"`(tests/[\w/.-]+\.py(?:::\w+)?)`", repository.text(path))
    })  # fmt: skip


@pytest.mark.parametrize("reference", references())
def test_a_test_that_a_document_names_exists(reference: str) -> None:
    file, _, name = reference.partition("::")
    assert (ROOT / file).is_file()
    assert not name or f"def {name}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("number", range(1, 14))
def test_every_rule_names_a_test_that_holds_it(number: int) -> None:
    sections = re.split(r"^## ", RULES.read_text(), flags=re.MULTILINE)[1:]
    assert sections[number - 1].startswith(f"{number}. ")
    assert re.search(r"`tests/[\w/.]+\.py::\w+`", sections[number - 1])


def test_architecture_keeps_its_ten_numbered_sections() -> None:
    headings = re.findall(r"^## (\d+)\.", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    assert headings == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", repository.text(path))
    assert [target for target in targets if not (ROOT / path.parent / target).exists()] == []


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert targets == set(re.findall(r"^([a-z-]+):.*## .", makefile, re.MULTILINE))


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("0*.md"))
