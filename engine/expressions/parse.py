"""Source text to tree, by jsonata-python's parser with what is unsafe or wrong in it closed.

What differs from the parser as it comes, each with a test:
- `==` means `=` (authoring.md); decided by the tokenizer, so strings, regex literals, comments and
  backtick names keep theirs.
- `??` and `?:` are plain operators. The library writes the left side into the tree twice, which
  takes exponential time in a chain of them and applies a filter on it twice.
- `@`, `#`, `%` as parent, `~>` and `|...|` are refused where they stand.
- Whole numbers above 2^53 keep their digits, and \\u escapes make whole characters.
- A new parser for every source: the library's own is kept per thread, with its state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from jsonata.jexception import JException
from jsonata.parser import Parser
from jsonata.regex_engine import RegexFlags
from jsonata.tokenizer import Tokenizer

from engine.expressions.errors import ExpressionRefused
from engine.expressions.limits import MAX_DEPTH, MAX_SOURCE_BYTES
from engine.expressions.patterns import PatternRefused, compile_pattern
from engine.expressions.tree import Node, compact

Symbol = Any
"""A part of jsonata-python's tree."""

_REFUSED_OPERATORS: Final = {
    "~>": "chaining with ~> is not in the language; call the function with its arguments",
    "|": "transforms (|...|) are not in the language",
    "@": "context variables (@) are not in the language",
    "#": "position variables (#) are not in the language",
}
_WHOLE_NUMBER: Final = re.compile(r"(?<![0-9.eE+-])(0|[1-9][0-9]*)$")


def parse(source: str) -> Node:
    """The tree of `source`, not yet checked by the cage.

    Raises `ExpressionRefused`, and nothing else, whatever the text.
    """
    if not source.strip():
        raise ExpressionRefused("The expression is empty.")
    try:
        size = len(source.encode("utf-8"))
    except UnicodeEncodeError:
        raise ExpressionRefused("The expression holds half of a surrogate pair.") from None
    if size > MAX_SOURCE_BYTES:
        raise ExpressionRefused(f"The expression is longer than {MAX_SOURCE_BYTES // 1024} KiB.")
    parser = _Parser()
    try:
        return compact(parser.tree(source))
    except ExpressionRefused:
        raise
    except PatternRefused as error:
        raise ExpressionRefused(
            f"The regular expression is refused by RE2: {error}.", parser.position
        ) from None
    except JException as error:
        raise ExpressionRefused(_words(error), max(error.location, 0)) from None
    except RecursionError:
        raise ExpressionRefused("The expression is nested too deeply.") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # The library's parser runs off the end of an unfinished text.
        raise ExpressionRefused(
            "Syntax error: the expression ends too soon.", len(source)
        ) from None


class _Tokenizer(Tokenizer):  # type: ignore[misc]
    def next(self, prefix: bool) -> Any:
        start = self.position
        token = super().next(prefix)
        if token is None:
            return None
        if token.type == "operator":
            self._operator(token)
        elif token.type == "string":
            token.value = _whole_characters(token.value, token.position)
        elif token.type == "number":
            digits = _WHOLE_NUMBER.search(self.path[start : self.position])
            if digits:
                token.value = int(digits.group(1))
        return token

    def _operator(self, token: Any) -> None:
        if token.value == "=" and self.path[self.position : self.position + 1] == "=":
            self.position += 1
        elif token.value in _REFUSED_OPERATORS:
            words = _REFUSED_OPERATORS[token.value]
            raise ExpressionRefused(words[0].upper() + words[1:] + ".", token.position)


class _Parser(Parser):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        for operator in ("??", "?:", "%"):
            del self.symbol_table[operator]
            self.register(Parser.Infix(self, operator))

    @property
    def position(self) -> int:
        return int(self.lexer.position) if self.lexer is not None else 0

    def tree(self, source: str) -> Symbol:
        self.source = source
        self.lexer = _Tokenizer(source, _regex)
        self.advance()
        raw = self.expression(0)
        if self.node.id != "(end)":
            raise ExpressionRefused(f"Syntax error: {self.node.value!r}.", self.node.position)
        _refuse_deep(raw)
        return self.process_ast(raw)


def _regex(pattern: str, flags: RegexFlags) -> Any:
    return compile_pattern(pattern, ignore_case=flags.case_insensitive, multiline=flags.multiline)


def _whole_characters(text: str, position: int) -> str:
    """Two escaped halves of a surrogate pair are one character in JSON."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionRefused("A string holds half of a surrogate pair.", position) from None


def _refuse_deep(root: Symbol) -> None:
    """Bounds recursion and the parser's own quadratic passes, before they start."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ExpressionRefused(
                f"The expression is nested deeper than {MAX_DEPTH} levels.", node.position
            )
        waiting.extend((child, depth + 1) for child in _raw_children(node))


def _raw_children(node: Symbol) -> Iterator[Symbol]:
    single = (node.lhs, node.rhs, node.expression, node.procedure, node.condition)
    more = (node.then, node._else, node.body, node.pattern, node.update, node.delete)
    for child in (*single, *more):
        if isinstance(child, Parser.Symbol):
            yield child
    for group in (node.expressions, node.arguments, node.rhs_terms):
        for child in group or ():
            if isinstance(child, Parser.Symbol):
                yield child
    for pairs in (node.lhs_object, node.rhs_object):
        for pair in pairs or ():
            yield from pair


def _words(error: JException) -> str:
    """The library's message; it has one code for two faults, told apart by the token."""
    if error.error == "S0301" and error.current is not None:
        return f"There is no escape \\{error.current} in a string."
    text = str(error)
    return f"{text}." if text and not text.endswith(".") else text
