"""Any document that passes the publish check is executed to an end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.definitions.check import check_document
from engine.definitions.compile import compile_plan
from engine.definitions.document import Document
from engine.definitions.steps import KINDS as DOCUMENT_KINDS
from engine.interpreter.kinds import KINDS
from tests.fakes import execute
from tests.unit.interpreter.random_documents import (
    WORKFLOWS,
    Catalogue,
    as_document,
    without_modes,
)
from tests.unit.interpreter.random_plans import PAYLOAD, AnsweringHost, random_plan

NOT_YET = {"KIND_NOT_AVAILABLE"}
"""Of kinds that the interpreter has and a release does not publish yet."""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_document_that_passes_the_check_ends_whatever_its_steps_give(number: int) -> None:
    plan = random_plan(number, concurrent=True)
    document = as_document(plan)
    findings = check_document(document, Catalogue(), workflows=WORKFLOWS, schemas={})
    errors = [one for one in findings if one.severity == "error"]
    assert [one for one in errors if one.code not in NOT_YET] == []

    compiled = compile_plan(Document.model_validate(document), Catalogue(), WORKFLOWS)
    outcome = execute(compiled, AnsweringHost(number), payload=PAYLOAD)

    assert without_modes(compiled["steps"]) == without_modes(plan["steps"])
    assert outcome.status in {"SUCCEEDED", "FAILED"}
    assert outcome.error is None or outcome.error["category"] != "InterpreterError"


def test_every_kind_of_the_document_can_be_executed_and_no_other() -> None:
    assert set(KINDS) == set(DOCUMENT_KINDS)
