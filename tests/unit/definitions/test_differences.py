"""What changed between two versions of a document."""

from __future__ import annotations

from typing import Any

from engine.definitions.differences import DocumentDifferences, compare_documents
from engine.runs.fingerprint import Fingerprints
from engine.runs.json_diff import Masked, Side
from engine.runs.redaction import Redactor

KEYED = Fingerprints("a key of tests")


def step(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "type": "state.set", "config": {"state": name}} | fields


def choice(name: str, then: list[Any], other: list[Any]) -> dict[str, Any]:
    return {"id": name, "type": "control.if", "condition": {"$expr": "x"}, "then": then,
            "else": other}  # fmt: skip


def document(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "drawn", "name": "Drawn", "steps": list(steps)} | fields


def diff(left: dict[str, Any], right: dict[str, Any]) -> DocumentDifferences:
    def side(value: dict[str, Any]) -> Side:
        return Side(value, Redactor().redact(value).value)

    return compare_documents(side(left), side(right), KEYED.equal)


def said(found: DocumentDifferences) -> list[tuple[str, str | None]]:
    return [(one.change.value, one.step_id) for one in found.steps]


def test_the_same_document_does_not_differ_and_its_number_is_no_difference() -> None:
    of = document(step("a"), choice("c", [step("b")], []), version=1)
    assert diff(of, of | {"version": 2}).none


def test_a_step_put_in_does_not_change_those_after_it() -> None:
    found = diff(document(step("a"), step("b")), document(step("new"), step("a"), step("b")))
    assert said(found) == [("added", "new")]
    assert found.steps[0].right_path == "root.steps[0]"


def test_a_step_that_was_taken_out_is_removed() -> None:
    found = diff(document(step("a"), choice("c", [step("b")], [])), document(step("a")))
    assert said(found) == [("removed", "c"), ("removed", "b")]


def test_a_changed_step_says_what_changed_in_it_and_not_in_its_branches() -> None:
    left = document(choice("c", [step("b")], []))
    right = document(choice("c", [step("b", config={"state": "other"})], []))
    found = diff(left, right)
    assert said(found) == [("changed", "b")]
    [field] = found.steps[0].fields.found
    assert field.pointer == "/config/state"


def test_a_step_in_another_branch_or_order_has_moved() -> None:
    left = document(choice("c", [step("a"), step("b")], []))
    assert said(diff(left, document(choice("c", [step("a")], [step("b")])))) == [("moved", "b")]
    swapped = diff(left, document(choice("c", [step("b"), step("a")], [])))
    assert [change for change, _ in said(swapped)] == ["moved"]


def test_steps_whose_block_was_wrapped_have_moved() -> None:
    found = diff(document(step("a")), document(choice("c", [step("a")], [])))
    assert said(found) == [("moved", "a"), ("added", "c")]


def test_the_rest_of_the_document_is_compared_by_pointer() -> None:
    found = diff(document(concurrencyLimit=1), document(redact=["/payload/x"]))
    assert [(d.pointer, d.change.value) for d in found.fields.found] == [
        ("/concurrencyLimit", "removed"), ("/redact", "added"),
    ]  # fmt: skip


def test_what_is_masked_in_a_document_is_not_shown() -> None:
    left = document(step("a", config={"state": "x", "password": "hunter22"}))
    right = document(step("a", config={"state": "x", "password": "hunter33"}))
    found = diff(left, right)
    assert found.steps[0].fields.found[0].masked is Masked.DIFFERS
    assert "hunter" not in repr(found)


def test_documents_of_any_shape_are_compared() -> None:
    odd: list[Any] = [{}, {"steps": 7}, {"steps": [1, {"id": 4}, {"id": "a"}, {"id": "a"}]}]
    for left in odd:
        assert diff(left, left).none
        for right in odd:
            diff(left, right)
