"""The outputs of every transform on every edge are as recorded: a change is a decision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.interpreter.transforms import TRANSFORMS, run_transform
from engine.interpreter.transforms.fields import validated
from engine.runs import strict_json
from tests.unit.transforms.cases import CASES
from tests.unit.transforms.recording import FILE, outcome

RECORDED = json.loads(FILE.read_text("utf-8"))
TABLE = (
    "parse_json stringify_json query_json regex_match regex_extract regex_replace truncate_text "
    "concat_text replace_text split_text join_text lowercase_text uppercase_text trim_text "
    "coalesce_value build_object pick_fields rename_fields append_array build_array"
)


def test_the_transforms_are_those_of_the_table() -> None:
    assert {name for name, _ in TRANSFORMS} == {f"transform.{name}" for name in TABLE.split()}
    assert {version for _, version in TRANSFORMS} == {1}


def test_every_transform_and_edge_is_recorded() -> None:
    assert {name: set(edges) for name, edges in CASES.items()} == {
        name: set(edges) for name, edges in RECORDED.items()
    }
    assert set(CASES) == set(TABLE.split())
    assert all(
        {"huge", "missing"} <= edges.keys() or name == "query_json" for name, edges in CASES.items()
    )


@pytest.mark.parametrize(
    ("name", "edge"),
    [(name, edge) for name, edges in CASES.items() for edge in edges],
    ids=lambda part: str(part).replace(" ", "-"),
)
def test_the_outcome_is_the_recorded_one(name: str, edge: str) -> None:
    assert outcome(name, CASES[name][edge]) == RECORDED[name][edge]


@pytest.mark.parametrize("name", TABLE.split())
def test_outputs_are_strict_json_of_the_declared_form(name: str) -> None:
    transform = TRANSFORMS[f"transform.{name}", 1]
    seen = 0
    for edge, given in CASES[name].items():
        if "output" in RECORDED[name][edge]:
            output: Any = run_transform(f"transform.{name}", 1, given)
            assert strict_json.check(output) == []
            validated(transform.output_model, output)
            seen += 1
    assert seen
