"""Regular expressions on text, through RE2: linear, without look-around and back-references.

Positions count code points. Flags: i (ignore case), m (^ and $ at lines), s (. matches line ends);
g and u are accepted and change nothing. RE2 looks for *one* match in linear time, but for all
matches of a pattern such as `.*x|y` it may look at the rest of the text each time: so the work is
bounded by count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.expressions.patterns import PatternRefused, compile_pattern
from engine.interpreter.transforms.coerced import text_of
from engine.interpreter.transforms.fields import Fields, Whole
from engine.interpreter.transforms.limits import one_text
from engine.interpreter.transforms.transform import Transform

MAX_TEXT: Final = 1_000_000
MAX_MATCHES: Final = 1_000
MAX_REPLACEMENTS: Final = 100_000
MAX_LOOKED_AT: Final = 1_000_000_000
"""Bytes, over all matches of a pattern that may look ahead without bound: at worst 1.6 s."""
_FLAGS: Final = frozenset("gimsu")
_TOKEN: Final = re.compile(r"\$(?:(\$)|(&)|([1-9][0-9]?)|<([^>]*)>)")


class Pattern(Fields):
    text: Any
    pattern: Annotated[str, Field(min_length=1)]
    flags: str = ""


class Match(Pattern):
    require_match: bool = False
    """Fail with an ActionError when nothing matches."""


class Extract(Match):
    max_matches: Annotated[Whole, Field(ge=1, le=MAX_MATCHES)] = 100


class Replace(Pattern):
    replacement: str
    """$1, $<name>, $& (all that matched) and $$ are replaced; other text is taken as it is."""
    replace_all: bool = True


class Matched(Fields):
    matched: bool
    match: str | None
    index: int | None
    groups: list[str | None]
    named_groups: dict[str, str | None]


class OneMatch(Fields):
    text: str
    index: int
    groups: list[str | None]
    named_groups: dict[str, str | None]


class Extracted(Fields):
    matched: bool
    count: int
    first: OneMatch | None
    matches: list[OneMatch]


class Replaced(Fields):
    text: str
    replacement_count: int


def _match(input: Match) -> dict[str, Json]:
    for found in _found(input):
        one = _described(found)
        return {"matched": True, "match": one.pop("text"), **one}
    _refuse_none(input)
    return {"matched": False, "match": None, "index": None, "groups": [], "namedGroups": {}}


def _extract(input: Extract) -> dict[str, Json]:
    matches: list[Json] = []
    for found in _found(input):
        matches.append(_described(found))
        if len(matches) == input.max_matches:
            break
    if not matches:
        _refuse_none(input)
    return {
        "matched": bool(matches),
        "count": len(matches),
        "first": matches[0] if matches else None,
        "matches": matches,
    }


def _replace(input: Replace) -> dict[str, Json]:
    text = text_of(input.text)
    template = _Template(input.replacement)
    count = 0

    def pieces() -> Iterator[str]:
        nonlocal count
        end = 0
        for found in _found(input):
            count += 1
            if count > MAX_REPLACEMENTS:
                raise _too_much(f"The pattern matches more than {MAX_REPLACEMENTS} times.")
            yield text[end : found.index]
            yield from template.filled(found)
            end = found.index + len(found.group() or "")
            if not input.replace_all:
                break
        yield text[end:]

    return {"text": one_text(pieces()), "replacementCount": count}


class _Template:
    """A replacement, cut at its tokens. A token for a group that is not there stays text."""

    def __init__(self, replacement: str) -> None:
        self._parts: list[str | re.Match[str]] = []
        end = 0
        for token in _TOKEN.finditer(replacement):
            self._parts += [replacement[end : token.start()], token]
            end = token.end()
        self._parts.append(replacement[end:])

    def filled(self, found: _Found) -> Iterator[str]:
        for part in self._parts:
            yield part if isinstance(part, str) else _token_text(part, found)


def _token_text(token: re.Match[str], found: _Found) -> str:
    dollar, whole, digits, name = token.groups()
    if dollar:
        return "$"
    if whole:
        return found.group() or ""
    if name is not None:
        number = found.names.get(name)
        return token.group() if number is None else found.group(number) or ""
    most = found.group_count
    if int(digits) <= most:
        return found.group(int(digits)) or ""
    if len(digits) == 2 and int(digits[0]) <= most:
        return (found.group(int(digits[0])) or "") + digits[1]
    return token.group()


def _found(input: Pattern) -> Iterator[_Found]:
    """The matches, from left to right. Raises `StepFailed` for a bad pattern or too much work."""
    text = text_of(input.text)
    if len(text) > MAX_TEXT:
        raise _too_much(f"The text is longer than {MAX_TEXT} characters.")
    pattern, data = _compiled(input), text.encode("utf-8", "surrogatepass")
    may_look_far = any(sign in input.pattern for sign in "*+{")
    looked_at = begin = index = 0
    while begin <= len(data) and (match := pattern.search(data, begin)) is not None:
        start, end = match.span()
        looked_at += len(data) - begin
        if may_look_far and looked_at > MAX_LOOKED_AT:
            raise _too_much("The pattern matches too often in a text of this length.")
        index += _characters(data[begin:start])
        yield _Found(match, data, index)
        after = end if end > start else _next_character(data, end)
        index += _characters(data[start:after])
        begin = after


class _Found:
    """One match in UTF-8. The binding's own `finditer` gives empty matches twice."""

    __slots__ = ("_data", "_match", "index")

    def __init__(self, match: Any, data: bytes, index: int) -> None:
        self._match = match
        self._data = data
        self.index = index
        """Where it begins, in code points."""

    def group(self, number: int = 0) -> str | None:
        """None: the group had no part in the match."""
        start, end = self._match.span(number)
        return None if start < 0 else self._data[start:end].decode("utf-8", "surrogatepass")

    @property
    def group_count(self) -> int:
        return int(self._match.re.groups)

    @property
    def groups(self) -> list[str | None]:
        return [self.group(number) for number in range(1, self.group_count + 1)]

    @property
    def names(self) -> dict[str, int]:
        """Of the groups that have one, with their numbers, in the order of the pattern."""
        return dict(sorted(self._match.re.groupindex.items(), key=lambda item: item[1]))


def _characters(data: bytes) -> int:
    return len(data.decode("utf-8", "surrogatepass"))


def _next_character(data: bytes, position: int) -> int:
    position += 1
    while position < len(data) and data[position] & 0xC0 == 0x80:
        position += 1
    return position


def _compiled(input: Pattern) -> Any:
    unknown = sorted(set(input.flags) - _FLAGS)
    if unknown:
        raise _bad_pattern("/flags", f"unknown flag {unknown[0]!r}: use g, i, m, s, u")
    flags = "".join(sorted(set(input.flags) & set("ims")))
    try:
        return compile_pattern(f"(?{flags}){input.pattern}" if flags else input.pattern)
    except PatternRefused as error:
        raise _bad_pattern("/pattern", f"no pattern of RE2: {error}") from None


def _described(found: _Found) -> dict[str, Json]:
    return {
        "text": found.group(),
        "index": found.index,
        "groups": found.groups,
        "namedGroups": {name: found.group(number) for name, number in found.names.items()},
    }


def _refuse_none(input: Match) -> None:
    if input.require_match:
        raise StepFailed(Category.ACTION, "The pattern does not match.", code="NO_MATCH")


def _bad_pattern(pointer: str, message: str) -> StepFailed:
    return StepFailed(
        Category.VALIDATION,
        f"The input does not fit: {pointer}: {message}",
        code="INVALID_PATTERN",
        details={"problems": [{"pointer": pointer, "message": message}]},
    )


def _too_much(message: str) -> StepFailed:
    return StepFailed(Category.ACTION, message, code="TOO_MUCH_WORK")


PATTERNS: Final = {
    "regex_match": Transform(Match, Matched, _match, "The first match of a pattern."),
    "regex_extract": Transform(Extract, Extracted, _extract, "All matches of a pattern."),
    "regex_replace": Transform(Replace, Replaced, _replace, "Replace what a pattern matches."),
}
