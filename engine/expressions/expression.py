"""A compiled expression: made once from its source, evaluated anywhere, by any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.expressions import cage
from engine.expressions.errors import Fault
from engine.expressions.evaluator import Evaluator
from engine.expressions.parse import Node, parse
from engine.expressions.result import as_json
from engine.expressions.values import Value


@dataclass(frozen=True, slots=True)
class Evaluated:
    value: Json
    evaluations: int
    """What it cost, for the budget of a workflow task (rules.md 10)."""


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

        Raises `StepFailed` of category ExpressionError, with a code: EXPRESSION_NO_VALUE,
        EXPRESSION_TOO_LARGE, EXPRESSION_NOT_JSON, EXPRESSION_BUDGET or EXPRESSION_FAILED.
        """
        evaluator = Evaluator(self._scope(scope), now)
        try:
            value: Value = evaluator.run(self._tree)
            return Evaluated(as_json(value), evaluator.spent)
        except Fault as fault:
            raise self._failed(str(fault), fault.code) from None
        except RecursionError:
            raise self._failed("The value is nested too deeply.", Fault.code) from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # A fault of ours: the author gets the same kind of error at every replay.
            raise self._failed("It cannot be evaluated.", Fault.code) from error

    def _scope(self, scope: Mapping[str, Json]) -> dict[str, Json]:
        if type(scope) is dict:
            return scope
        if self.roots is None:
            return dict(scope)
        return {name: scope[name] for name in self.roots if name in scope}

    def _failed(self, message: str, code: str) -> StepFailed:
        return StepFailed(
            Category.EXPRESSION, message, code=code, details={"expression": self.source[:200]}
        )


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The expression of `source`. Raises `ExpressionRefused` (message, position, suggestion)."""
    tree = parse(source)
    return Expression(source, tree, cage.check(tree))
