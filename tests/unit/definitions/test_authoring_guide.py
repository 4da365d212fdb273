"""docs/authoring.md tells the truth: every document, step and value on the page is tried."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.actions.registry import default_registry
from engine.definitions.availability import AVAILABLE_KINDS
from engine.definitions.check import check_document
from engine.definitions.steps import KINDS
from engine.definitions.workflows import KnownWorkflows, PublishedWorkflow
from engine.errors import Category
from engine.expressions import ExpressionFailed, compile_expression
from engine.expressions.catalogue import FUNCTIONS
from engine.expressions.filters import OPERATORS
from scripts import document_schema

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "authoring.md").read_text("utf-8")
FENCED = re.compile(r"```json( scope)?\n(.*?)```", re.DOTALL)
BLOCKS = [(kind, json.loads(text)) for kind, text in FENCED.findall(PAGE)]
(SCOPE,) = (data for kind, data in BLOCKS if kind)
DOCUMENTS = [data for kind, data in BLOCKS if not kind and "steps" in data]
STEPS = [data for kind, data in BLOCKS if not kind and "type" in data]
NOW = datetime(2026, 6, 9, 12, tzinfo=UTC)
CATALOGUE = default_registry(plugins=())
WORKFLOWS = KnownWorkflows(PublishedWorkflow("greet", 1, DOCUMENTS[0]["payloadSchema"]))


def section(title: str) -> str:
    """From a heading to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}$\n(.*?)(?=^#|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found.group(1)


def table(text: str) -> list[list[str]]:
    """The cells of all rows, without the heads."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [row for index, row in enumerate(rows) if not _is_head(rows, index)]


def _is_head(rows: list[list[str]], index: int) -> bool:
    def is_line(row: list[str]) -> bool:
        return set("".join(row)) <= set("-| ")

    return is_line(rows[index]) or (index + 1 < len(rows) and is_line(rows[index + 1]))


def quoted(cell: str) -> str:
    return cell.split("`")[1]


def found(expression: str, scope: Any) -> str:
    try:
        value = compile_expression(expression).evaluate(scope, now=NOW).value
    except ExpressionFailed:
        return "error"
    return json.dumps(value)


def expected(cell: str) -> str:
    return "error" if cell == "error" else json.dumps(json.loads(quoted(cell)))


def is_of_another_release(finding: Any) -> bool:
    return finding.code == "KIND_NOT_AVAILABLE" and set(KINDS) - AVAILABLE_KINDS != set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["id"])
def test_a_document_of_the_page_publishes_without_a_finding(document: Any) -> None:
    assert check_document(document, CATALOGUE, workflows=WORKFLOWS, schemas={}) == []


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["id"])
def test_a_step_of_the_page_publishes_without_a_finding(step: Any) -> None:
    document = {"id": "page", "name": "Page", "steps": [step]}
    findings = check_document(document, CATALOGUE, workflows=WORKFLOWS, schemas={})
    assert [finding for finding in findings if not is_of_another_release(finding)] == []


def test_every_kind_of_step_has_an_example_under_its_own_name() -> None:
    assert {step["type"] for step in STEPS} == set(KINDS)
    for kind in KINDS:
        assert re.search(rf"^### {re.escape(kind)}\b", PAGE, re.MULTILINE), kind


EXAMPLES = table(section("Expressions").partition("```json scope")[2])


@pytest.mark.parametrize(("expression", "value"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_an_expression_has_the_value_that_the_page_gives(expression: str, value: str) -> None:
    assert found(quoted(expression), SCOPE) == expected(value)


NULLS = table(section("Null and absent"))


@pytest.mark.parametrize(("expression", "null", "absent"), NULLS, ids=[row[0] for row in NULLS])
def test_null_and_absent_differ_as_the_page_says(expression: str, null: str, absent: str) -> None:
    source = quoted(expression)
    assert found(source, {"x": None, "y": {}}) == expected(null)
    assert found(source, {"y": {}}) == expected(absent)


def test_the_tables_are_read_and_not_empty() -> None:
    assert len(EXAMPLES) > 15
    assert len(NULLS) > 20


def test_the_functions_of_the_page_are_those_of_the_catalogue() -> None:
    listed = [(quoted(row[0]), row[1]) for row in table(section("Functions"))]
    assert listed == [(one.signature, one.summary) for one in FUNCTIONS.values()]


def test_the_filters_of_the_page_are_those_there_are() -> None:
    cells = [row[0] for row in table(section("event.wait"))]
    assert {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)} == set(OPERATORS)


def test_the_findings_of_the_page_are_those_there_are() -> None:
    cells = [row[0] for row in table(section("What publishing finds"))]
    listed = {code for cell in cells for code in re.findall(r"`([A-Z_]+)`", cell)}
    sources = (ROOT / "engine" / "definitions" / "checks").glob("*.py")
    made = {
        code
        for path in sources
        for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', path.read_text("utf-8"))
    }
    assert listed == made - {"ADDITIONAL_PROPERTIES"}


def test_the_error_categories_of_the_page_are_those_an_author_meets() -> None:
    listed = {quoted(row[0]) for row in table(section("Errors and retries"))}
    assert listed == {one.value for one in Category} - {"Cancellation", "InterpreterError"}


def test_the_schema_for_editors_is_that_of_the_models_and_accepts_the_examples() -> None:
    schema = document_schema.document_schema()
    assert document_schema.PATH.read_text("utf-8") == document_schema.written(schema)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    samples = [json.loads(path.read_text("utf-8")) for path in (ROOT / "samples").glob("*.json")]
    wrapped = [{"id": "page", "name": "Page", "steps": [step]} for step in STEPS]
    for document in [*samples, *DOCUMENTS, *wrapped]:
        assert list(validator.iter_errors(document)) == []
        assert list(validator.iter_errors(document | {"owner": "me"})) != []
        assert list(validator.iter_errors(document | {"designerX": "me"})) == []
