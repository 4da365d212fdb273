"""Text: lengths and positions count code points; regular expressions are RE2's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.expressions.builtins import call as arguments
from engine.expressions.builtins.call import Call, as_list, whole
from engine.expressions.errors import Fault
from engine.expressions.values import ITEM_COST_OF_MATCH, Value, described, sequence, text_of

_SPACES: Final = re.compile(r"[ \t\n\r]+")


def _over(call: Call, value: Value, function: str) -> str:
    text = arguments.text(value, function)
    call.characters(len(text))
    return text


def string(call: Call, value: Value, indent: Value = None) -> Value:
    return None if value is None else text_of(value, call, digits=15, indent=indent is True)


def substring(call: Call, value: Value, start: Value, length: Value = None) -> Value:
    if value is None:
        return None
    text = _over(call, value, "$substring")
    first = whole(start, "$substring")
    if first < 0:
        first = max(len(text) + first, 0)
    if length is None:
        return text[first:]
    return text[first : first + max(whole(length, "$substring"), 0)]


def before(call: Call, value: Value, mark: Value) -> Value:
    if value is None:
        return None
    text = _over(call, value, "$substringBefore")
    return text.partition(_mark(mark, "$substringBefore"))[0] if mark != "" else ""


def after(call: Call, value: Value, mark: Value) -> Value:
    if value is None:
        return None
    text = _over(call, value, "$substringAfter")
    if mark == "":
        return text
    _, found, rest = text.partition(_mark(mark, "$substringAfter"))
    return rest if found else text


def _mark(value: Value, function: str) -> str:
    return arguments.text(value, function)


def uppercase(call: Call, value: Value) -> Value:
    return None if value is None else _over(call, value, "$uppercase").upper()


def lowercase(call: Call, value: Value) -> Value:
    return None if value is None else _over(call, value, "$lowercase").lower()


def trim(call: Call, value: Value) -> Value:
    return None if value is None else _SPACES.sub(" ", _over(call, value, "$trim")).strip(" ")


def pad(call: Call, value: Value, width: Value, filler: Value = None) -> Value:
    if value is None:
        return None
    text = arguments.text(value, "$pad")
    size = whole(width, "$pad")
    unit = " " if filler in (None, "") else arguments.text(filler, "$pad")
    call.characters(max(abs(size), len(text)))
    missing = max(abs(size) - len(text), 0)
    fill = (unit * (missing // len(unit) + 1))[:missing]
    return fill + text if size < 0 else text + fill


def contains(call: Call, value: Value, part: Value) -> Value:
    if value is None:
        return None
    return arguments.text(part, "$contains") in _over(call, value, "$contains")


def split(call: Call, value: Value, separator: Value, limit: Value = None) -> Value:
    if value is None:
        return None
    text = _over(call, value, "$split")
    mark = arguments.text(separator, "$split")
    most = _limit(limit, "$split")
    call.items(len(text) if mark == "" else text.count(mark) + 1)
    parts = list(text) if mark == "" else text.split(mark)
    return parts if most is None else parts[:most]


def _limit(value: Value, function: str) -> int | None:
    if value is None:
        return None
    limit = whole(value, function)
    if limit < 0:
        raise Fault(f"The limit of {function} cannot be negative.")
    return limit


def join(call: Call, values: Value, separator: Value = None) -> Value:
    if values is None:
        return None
    texts = as_list(values)
    between = "" if separator is None else arguments.text(separator, "$join")
    call.items(len(texts))
    for value in texts:
        if not isinstance(value, str):
            what = "null" if value is None else described(value)
            raise Fault(f"$join needs a list of texts, not {what}.")
    call.characters(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def match(call: Call, value: Value, pattern: Any, limit: Value = None) -> Value:
    if value is None:
        return None
    text = _over(call, value, "$match")
    found = itertools.islice(pattern.finditer(text), _limit(limit, "$match"))
    results = sequence()
    for one in found:
        call.items(ITEM_COST_OF_MATCH)
        results.append({"match": one.group(), "index": one.start(), "groups": list(one.groups())})
    return results


def replace(
    call: Call, value: Value, pattern: Any, replacement: Value, limit: Value = None
) -> Value:
    if value is None:
        return None
    text = _over(call, value, "$replace")
    new = arguments.text(replacement, "$replace")
    most = _limit(limit, "$replace")
    if isinstance(pattern, str):
        return _replace_text(call, text, pattern, new, most)
    if pattern is None or not hasattr(pattern, "finditer"):
        raise Fault(f"$replace needs text or a pattern, not {described(pattern)}.")
    return _replace_pattern(call, text, pattern, new, most)


def _replace_text(call: Call, text: str, part: str, new: str, limit: int | None) -> str:
    if not part:
        raise Fault("$replace cannot look for an empty text.")
    count = text.count(part) if limit is None else min(text.count(part), limit)
    call.items(count)
    call.characters(len(text) + count * len(new))
    return text.replace(part, new, count)


def _replace_pattern(call: Call, text: str, pattern: Any, new: str, limit: int | None) -> str:
    parts = []
    end = 0
    for one in itertools.islice(pattern.finditer(text), limit):
        if one.start() == one.end():
            raise Fault("The pattern of $replace matches an empty text.")
        filled = _filled(new, one)
        call.items(ITEM_COST_OF_MATCH)
        call.characters(len(filled) + one.start() - end)
        parts += [text[end : one.start()], filled]
        end = one.end()
    return "".join((*parts, text[end:]))


_REFERENCE: Final = re.compile(r"\$(\$|[0-9]+)")


def _filled(template: str, found: Any) -> str:
    """`$0` is the match, `$1` a group; of `$12` without group 12 it is `$1` and a 2."""
    groups = len(found.groups())

    def fill(reference: re.Match[str]) -> str:
        digits = reference.group(1)
        if digits == "$":
            return "$"
        for length in range(len(str(groups)), 0, -1):
            number = int(digits[:length])
            if number <= groups:
                return (found.group(number) or "") + digits[length:]
        return digits[len(str(groups)) :]

    return _REFERENCE.sub(fill, template)


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "string": string,
    "substring": substring,
    "substringBefore": before,
    "substringAfter": after,
    "uppercase": uppercase,
    "lowercase": lowercase,
    "trim": trim,
    "pad": pad,
    "contains": contains,
    "split": split,
    "join": join,
    "match": match,
    "replace": replace,
}
