"""The expression language: JSONata, deterministic and bounded (design.md 6). Pure."""

from __future__ import annotations

from engine.expressions.errors import ExpressionRefused
from engine.expressions.expression import Evaluated, Expression, compile_expression

__all__ = ["Evaluated", "Expression", "ExpressionRefused", "compile_expression"]
