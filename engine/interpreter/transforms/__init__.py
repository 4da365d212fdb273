"""The pure actions `transform.*`: run inside the workflow, at no activity (docs/authoring.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.transforms.fields import validated
from engine.interpreter.transforms.json_values import JSON_VALUES
from engine.interpreter.transforms.limits import CHARACTERS_PER_EVALUATION, kept
from engine.interpreter.transforms.patterns import PATTERNS
from engine.interpreter.transforms.query import QUERY, Query, query
from engine.interpreter.transforms.structure import STRUCTURE
from engine.interpreter.transforms.text import TEXT
from engine.interpreter.transforms.transform import Transform

__all__ = ["TRANSFORMS", "Transform", "Transformed", "run_transform", "transformed"]

TRANSFORMS: Final[Mapping[tuple[str, int], Transform]] = MappingProxyType(
    {
        (f"transform.{name}", 1): transform
        for group in (JSON_VALUES, QUERY, PATTERNS, TEXT, STRUCTURE)
        for name, transform in group.items()
    }
)


@dataclass(frozen=True, slots=True)
class Transformed:
    output: Json
    evaluations: int
    """What it cost, in the currency of `Host.spend` (docs/rules.md 10)."""


def transformed(
    name: str, version: int, input: Json, *, now: datetime | None = None
) -> Transformed:
    """Run a transform. `now` is workflow time, for nowIso() in `query_json`.

    Raises `StepFailed`: ValidationError for input that does not fit, ExpressionError from
    `query_json`, ActionError for a result that is too large or takes too much work.
    """
    transform = TRANSFORMS.get((name, version))
    if transform is None:
        raise StepFailed(
            Category.ACTION, f"There is no action {name}@{version}.", code="UNKNOWN_ACTION"
        )
    model = validated(transform.input_model, input)
    if isinstance(model, Query):
        output, evaluations = query(model, now)
    else:
        output, evaluations = transform.run(model), 1
    output, characters = kept(output)
    return Transformed(output, evaluations + characters // CHARACTERS_PER_EVALUATION)


def run_transform(name: str, version: int, input: Json, *, now: datetime | None = None) -> Json:
    """`transformed`, for those who do not count."""
    return transformed(name, version, input, now=now).output
