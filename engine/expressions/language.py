"""A compiled expression: made once from its source, evaluated anywhere, by any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.expressions import cage
from engine.expressions.errors import Fault
from engine.expressions.evaluator import Evaluator
from engine.expressions.parse import parse
from engine.expressions.result import as_json
from engine.expressions.tree import Node
from engine.expressions.values import Value

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Evaluated:
    value: Json
    evaluations: int
    """What it cost, its result included, for the budget of a workflow task (docs/rules.md 10)."""


class ExpressionFailed(StepFailed):
    """An expression failed; `evaluations` is what it had cost by then."""

    def __init__(self, fault: Fault, source: str, evaluations: int) -> None:
        shown = source if len(source) <= _SHOWN else f"{source[:_SHOWN]}…"
        super().__init__(
            Category.EXPRESSION, str(fault), code=fault.code, details={"expression": shown}
        )
        self.evaluations = evaluations


class Expression:
    """The tree is never written to after it was checked, so that threads may share it."""

    __slots__ = ("_tree", "roots", "source")

    def __init__(self, source: str, tree: Node, roots: frozenset[str] | None) -> None:
        self.source = source
        self.roots = roots
        """Top-level names that it may read; None: any."""
        self._tree = tree

    def evaluate(self, scope: Mapping[str, Json], *, now: datetime) -> Evaluated:
        """The value over `scope`, at workflow time `now` (aware).

        Raises `ExpressionFailed`, with a code: EXPRESSION_NO_VALUE, EXPRESSION_TOO_LARGE,
        EXPRESSION_NOT_JSON, EXPRESSION_SECRET, EXPRESSION_BUDGET or EXPRESSION_FAILED.
        """
        evaluator = Evaluator(self._scope(scope), now)
        try:
            value: Value = evaluator.run(self._tree)
            result, cost = as_json(value)
            return Evaluated(result, evaluator.spent + cost)
        except Fault as fault:
            raise ExpressionFailed(fault, self.source, evaluator.spent) from None
        except RecursionError:
            deep = Fault("The value is nested too deeply.")
            raise ExpressionFailed(deep, self.source, evaluator.spent) from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # A fault of ours: the author gets the same kind of error at every replay.
            ours = Fault("It cannot be evaluated.")
            raise ExpressionFailed(ours, self.source, evaluator.spent) from error

    def _scope(self, scope: Mapping[str, Json]) -> dict[str, Json]:
        if type(scope) is dict:
            return scope
        if self.roots is None:
            return dict(scope)
        return {name: scope[name] for name in self.roots if name in scope}


@lru_cache(maxsize=2048)
def compile_expression(source: str) -> Expression:
    """The expression of `source`. Raises `ExpressionRefused` (message, position, suggestion)."""
    tree = parse(source)
    return Expression(source, tree, cage.check(tree))
