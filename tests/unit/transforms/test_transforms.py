"""What a recorded output cannot show: limits, cost, purity, and that secrets stay unsaid."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest

from engine.errors import Category, StepFailed
from engine.interpreter.transforms import TRANSFORMS, patterns, run_transform, transformed
from tests.unit.transforms.cases import CASES

NOON = datetime(2026, 6, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(("name", "version"), [("transform.none", 1), ("transform.trim_text", 2)])
def test_a_transform_that_does_not_exist_is_an_action_error(name: str, version: int) -> None:
    with pytest.raises(StepFailed) as failed:
        run_transform(name, version, {})
    assert failed.value.category is Category.ACTION


@pytest.mark.parametrize("input", [None, [], "text", 5])
def test_an_input_that_is_no_object_is_a_validation_error(input: object) -> None:
    with pytest.raises(StepFailed) as failed:
        run_transform("transform.trim_text", 1, input)
    assert failed.value.category is Category.VALIDATION


def test_a_validation_error_points_to_every_fault_and_repeats_no_value() -> None:
    with pytest.raises(StepFailed) as failed:
        run_transform(
            "transform.build_object",
            1,
            {"fields": [{"key": 5, "value": 1}, {"key": "hunter2", "valu/e": "hunter2"}]},
        )
    pointers = [problem["pointer"] for problem in failed.value.details["problems"]]
    assert pointers == ["/fields/0/key", "/fields/1/value", "/fields/1/valu~1e"]
    assert "hunter2" not in str(failed.value.as_data())


def test_inputs_are_never_changed() -> None:
    for name, edges in CASES.items():
        if name == "stringify_json":
            continue
        given = next(iter(edges.values()))
        before = copy.deepcopy(given)
        run_transform(f"transform.{name}", 1, given)
        assert given == before


def test_query_json_has_workflow_time() -> None:
    output = run_transform(
        "transform.query_json", 1, {"source": {}, "expression": "nowIso()"}, now=NOON
    )
    assert output["value"].startswith("2026-06-09T12:00:00")


def test_query_json_counts_its_evaluations_and_large_results_cost_more() -> None:
    small = transformed("transform.query_json", 1, {"source": {"a": 1}, "expression": "a"})
    loop = transformed(
        "transform.query_json", 1, {"source": list(range(500)), "expression": "source[$ > 5]"}
    )
    text = transformed("transform.concat_text", 1, {"values": ["x" * 409_600]})
    assert small.evaluations < 10
    assert loop.evaluations > 500
    assert text.evaluations >= 100


def test_a_pattern_that_looks_far_each_time_is_stopped_by_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "MAX_LOOKED_AT", 10_000)
    given = {"text": "a" * 1_000, "pattern": ".*b|a"}
    with pytest.raises(StepFailed) as failed:
        run_transform("transform.regex_extract", 1, {**given, "maxMatches": 1000})
    assert failed.value.code == "TOO_MUCH_WORK"
    assert run_transform("transform.regex_match", 1, given)["match"] == "a"


def test_replacements_are_bounded_by_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "MAX_REPLACEMENTS", 10)
    given = {"pattern": "a", "replacement": "b"}
    assert run_transform("transform.regex_replace", 1, {"text": "a" * 10, **given})
    with pytest.raises(StepFailed) as failed:
        run_transform("transform.regex_replace", 1, {"text": "a" * 11, **given})
    assert failed.value.code == "TOO_MUCH_WORK"


def test_every_transform_has_an_own_summary_and_closed_schemas() -> None:
    assert len({transform.summary for transform in TRANSFORMS.values()}) == len(TRANSFORMS)
    for transform in TRANSFORMS.values():
        for model in (transform.input_model, transform.output_model):
            assert model.model_json_schema()["additionalProperties"] is False
