"""Every expression of every step compiles, and reads names that there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from engine.contract import Json
from engine.definitions.checks.checked import Checked
from engine.definitions.findings import did_you_mean
from engine.definitions.steps import BLOCKS
from engine.definitions.walk import RawStep
from engine.expressions import ExpressionRefused, compile_expression
from engine.expressions.mapping import Place, expressions_of
from engine.expressions.paths import PathRefused, parse_assign, parse_save_as

SCOPES: Final = frozenset({"payload", "vars", "local", "meta", "system", "error"})
_MAPPING_FIELDS: Final = frozenset({"inputMapping"})
_NO_EXPRESSIONS: Final = frozenset({"form", *BLOCKS})
"""Fields that hold other things: a schema, other steps."""


def check_expressions(checked: Checked) -> None:
    known = SCOPES.union(_written_names(checked))
    for step in checked.steps:
        for place, source in _expressions(step):
            _check_one(checked, step, place, source, known)


def _expressions(step: RawStep) -> Iterator[tuple[Place, Json]]:
    for field, value in step.config.items():
        if field not in _NO_EXPRESSIONS:
            yield from expressions_of(value, (field,))


def _check_one(
    checked: Checked, step: RawStep, place: Place, source: Json, known: frozenset[str]
) -> None:
    name = ".".join(map(str, place))
    in_mapping = place[0] in _MAPPING_FIELDS
    if not isinstance(source, str):
        if in_mapping:
            checked.error(step, "INVALID_EXPRESSION", f"{name}: an $expr is text.")
        return  # elsewhere the shape of the document says so
    if not source.strip():
        code = "EMPTY_EXPRESSION" if in_mapping else "INVALID_EXPR"
        checked.error(step, code, f"{name}: the expression is empty.")
        return
    try:
        expression = compile_expression(source)
    except ExpressionRefused as refused:
        code = "INVALID_EXPRESSION" if in_mapping else "INVALID_EXPR"
        message = f"{name}: {refused.message} (position {refused.position})"
        checked.error(step, code, message, refused.suggestion)
        return
    if place[0] == "outputMapping":
        known = known | {"childRun"}
    for root in sorted((expression.roots or frozenset()) - known - step.loop_names):
        checked.warning(
            step,
            "UNKNOWN_NAME",
            f"{name}: nothing gives {root} a value.",
            did_you_mean(root, known | step.loop_names),
        )


def _written_names(checked: Checked) -> Iterator[str]:
    """Variables that some step writes; they can be read by their bare names."""
    for step in checked.steps:
        targets = [*step.object("assign"), *step.object("outputMapping")]
        for target in targets:
            yield from _var_of(target, parse_assign)
        if step.text("saveAs"):
            yield from _var_of(step.config["saveAs"], parse_save_as)
        for field in ("itemVar", "captureErrorAs"):
            if name := step.text(field):
                yield name
        if step.kind == "control.forEach" and step.id:
            yield f"{step.id}Errors"
        yield from _VARS_OF_KIND.get(step.kind or "", ())


def _var_of(target: str, parse: Any) -> Iterator[str]:
    try:
        path = parse(target)
    except PathRefused:
        return
    if path.scope == "vars":
        yield path.segments[0]


_VARS_OF_KIND: Final = {
    "time.wait": ("timeWait",),
    "event.wait": ("event", "eventName"),
    "human.task": ("event", "eventName"),
}
