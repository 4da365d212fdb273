"""The functions an expression may call: one catalogue for runtime, checker, editor and docs.

`original` functions are those of the language this one comes from and may be called with or
without `$`; the others are JSONata built-ins and need it (docs/authoring.md, Expressions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    signature: str
    summary: str
    least: int
    most: int | None
    """None: any number of arguments."""
    original: bool = False
    context: bool = False
    """One argument fewer is allowed: the value before the dot is then the first."""

    def accepts(self, count: int) -> bool:
        fewest = self.least - 1 if self.context else self.least
        return fewest <= count and (self.most is None or count <= self.most)


_ORIGINAL: Final = (
    Function("nowIso", "nowIso()", "The time of the workflow as 2026-06-09T12:00:00.000Z.",
             0, 0, original=True),
    Function("coalesce", "coalesce(a, b, ...)",
             "The first argument that is neither null nor absent; null when there is none.",
             1, None, original=True),
    Function("len", "len(value)",
             "Characters (code points) of a string or items of a list; 0 for anything else.",
             1, 1, original=True),
    Function("toString", "toString(value)",
             "Text; empty for null and absent, JSON for a list or an object.",
             1, 1, original=True),
    Function("append", "append(list, value)",
             "The list with the value at its end; a list is added item by item.",
             2, 2, original=True),
)  # fmt: skip

_NUMBERS: Final = (
    Function("sum", "$sum(numbers)", "Their sum.", 1, 1),
    Function("max", "$max(numbers)", "The greatest; absent when there is none.", 1, 1),
    Function("min", "$min(numbers)", "The smallest; absent when there is none.", 1, 1),
    Function("average", "$average(numbers)", "Their mean; absent when there is none.", 1, 1),
    Function("number", "$number(value)", "A number from text or a boolean.", 1, 1, context=True),
    Function("round", "$round(number, precision?)",
             "Rounded to `precision` decimals, halves to even.", 1, 2, context=True),
    Function("floor", "$floor(number)", "Rounded down.", 1, 1, context=True),
    Function("ceil", "$ceil(number)", "Rounded up.", 1, 1, context=True),
    Function("abs", "$abs(number)", "Without its sign.", 1, 1, context=True),
    Function("power", "$power(base, exponent)", "Raised to a power.", 2, 2, context=True),
    Function("sqrt", "$sqrt(number)", "The square root.", 1, 1, context=True),
)  # fmt: skip

_TEXT: Final = (
    Function("string", "$string(value, indent?)",
             "Text; JSON for a list or an object, indented when `indent` is true.",
             1, 2, context=True),
    Function("substring", "$substring(text, start, length?)",
             "Part of the text; a negative start counts from the end.", 2, 3, context=True),
    Function("substringBefore", "$substringBefore(text, mark)", "What stands before the mark.",
             2, 2, context=True),
    Function("substringAfter", "$substringAfter(text, mark)", "What stands after the mark.",
             2, 2, context=True),
    Function("uppercase", "$uppercase(text)", "In upper case.", 1, 1, context=True),
    Function("lowercase", "$lowercase(text)", "In lower case.", 1, 1, context=True),
    Function("trim", "$trim(text)", "Without outer spaces, inner runs of them made one.",
             1, 1, context=True),
    Function("pad", "$pad(text, width, with?)",
             "Filled to a width at the right, or at the left for a negative width.",
             2, 3, context=True),
    Function("contains", "$contains(text, part)", "Whether the part occurs.", 2, 2, context=True),
    Function("split", "$split(text, separator, limit?)", "The list of its parts.",
             2, 3, context=True),
    Function("join", "$join(texts, separator?)", "One text of many.", 1, 2),
    Function("match", "$match(text, /pattern/, limit?)",
             "Matches of a regular expression (RE2) as {match, index, groups}.",
             2, 3, context=True),
    Function("replace", "$replace(text, part or /pattern/, replacement, limit?)",
             "With every occurrence replaced; $1 is a group, $$ a dollar.", 3, 4, context=True),
)  # fmt: skip

_DATA: Final = (
    Function("count", "$count(list)", "How many items; 0 for absent.", 1, 1),
    Function("boolean", "$boolean(value)", "JSONata's truth of a value.", 1, 1, context=True),
    Function("not", "$not(value)", "The opposite of its truth.", 1, 1, context=True),
    Function("exists", "$exists(value)", "Whether it is there, null included.", 1, 1),
    Function("type", "$type(value)",
             "null, number, string, boolean, array or object.", 1, 1),
    Function("keys", "$keys(object)", "The keys of an object, or of all objects of a list.",
             1, 1, context=True),
    Function("lookup", "$lookup(object, key)", "The value of a key.", 2, 2, context=True),
    Function("merge", "$merge(objects)", "One object of many; later ones win.", 1, 1),
    Function("spread", "$spread(object)", "A list of objects with one key each.",
             1, 1, context=True),
    Function("distinct", "$distinct(list)", "Without repetitions.", 1, 1),
    Function("reverse", "$reverse(list)", "In reverse order.", 1, 1),
    Function("zip", "$zip(list, ...)", "Lists of the first items, the second items, ...", 1, None),
    Function("fromMillis", "$fromMillis(milliseconds, picture?, offset?)",
             "A time as text: ISO 8601, or as the picture says.", 1, 3, context=True),
    Function("toMillis", "$toMillis(text)",
             "Milliseconds since 1970 of an ISO 8601 time; UTC without an offset.",
             1, 1, context=True),
)  # fmt: skip


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {function.name: function for function in (*_ORIGINAL, *_NUMBERS, *_TEXT, *_DATA)}
)

TAKES_PATTERN: Final = frozenset({"match", "replace"})
"""Their second argument may be a regular expression literal, and nothing else's may."""

INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "now": "Use nowIso(), the time of the workflow.",
        "millis": "Use $toMillis(nowIso()), the time of the workflow.",
        "map": "Write list.(expression), with the item as $.",
        "filter": "Write list[condition].",
        "single": "Write list[condition][0].",
        "each": "Write object.*.(expression).",
        "sort": "Write list^(key), or list^(>key) for the greatest first.",
        "length": "Use len(text).",
    }
)
"""What to write in place of some functions that are JSONata's but not this language's."""
