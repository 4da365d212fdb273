"""`query_json`: an expression over a value, with the language's own functions and limits.

The value has the name `source`. The fields of an object are names too: both `items[price > 5]` and
`source.items[price > 5]` read the field `items`. An expression that does not name `source` is
applied to the object itself, so that `$keys($)` gives its keys.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.expressions import Expression, ExpressionRefused, compile_expression
from engine.interpreter.transforms.fields import Fields
from engine.interpreter.transforms.transform import Transform

_NAMED: Final = re.compile(r"\bsource\b")
_ASKS_THE_TIME: Final = re.compile(r"\bnowIso\b")


class Query(Fields):
    source: Any
    expression: Annotated[str, Field(min_length=1)]


class Queried(Fields):
    value: Any


def query(input: Query, now: datetime | None) -> tuple[dict[str, Json], int]:
    """The output and what it cost in evaluations. Raises ExpressionError."""
    expression = _compiled(input.expression)
    if now is None and _ASKS_THE_TIME.search(input.expression):
        raise StepFailed(Category.EXPRESSION, "nowIso() is not to be had here.", code="NO_CLOCK")
    evaluated = expression.evaluate(
        _scope(expression, input.source), now=now or datetime.fromisoformat("1970-01-01T00:00:00Z")
    )
    return {"value": evaluated.value}, evaluated.evaluations


def _compiled(source: str) -> Expression:
    try:
        return compile_expression(source)
    except ExpressionRefused as refused:
        raise StepFailed(
            Category.EXPRESSION,
            f"{refused.message} (position {refused.position})",
            code=refused.code,
            details={"expression": source[:200], "position": refused.position},
        ) from None


def _scope(expression: Expression, source: Json) -> dict[str, Json]:
    if not isinstance(source, dict):
        return {"source": source}
    roots = expression.roots
    named = "source" in roots if roots is not None else _NAMED.search(expression.source)
    return {**source, "source": source} if named else source


def _without_clock(input: Query) -> dict[str, Json]:
    return query(input, None)[0]


QUERY: Final = {
    "query_json": Transform(
        Query, Queried, _without_clock, "Evaluate an expression over a value, named `source`."
    )
}
