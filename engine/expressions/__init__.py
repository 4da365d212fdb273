"""The expression language: JSONata, deterministic and bounded (docs/architecture.md 6). Pure."""

from __future__ import annotations

from engine.expressions.errors import ExpressionRefused
from engine.expressions.language import (
    Evaluated,
    Expression,
    ExpressionFailed,
    compile_expression,
)

__all__ = ["Evaluated", "Expression", "ExpressionFailed", "ExpressionRefused", "compile_expression"]
