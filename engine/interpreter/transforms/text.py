"""Text: shorten, join, replace, split, change case, trim. Lengths count code points, as `len`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from engine.contract import Json
from engine.interpreter.transforms.coerced import joined, text_of
from engine.interpreter.transforms.fields import Fields, Whole
from engine.interpreter.transforms.limits import OUTPUT_MAX_BYTES, one_text, too_large
from engine.interpreter.transforms.transform import Transform

SPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What `trim_text` takes away: the white space and line ends of ECMAScript."""


class SomeText(Fields):
    text: Any
    """Any value: what is no text is taken as `toString` would give it."""


class TextResult(Fields):
    text: str


class Texts(Fields):
    items: list[str]


class Truncate(SomeText):
    max_length: Annotated[Whole, Field(ge=0)]
    strategy: Literal["end", "start", "middle"] = "end"
    """Which part goes."""
    ellipsis: str = "..."


class Concat(Fields):
    values: list[Any]
    separator: str = ""


class Replace(SomeText):
    search: str
    replacement: str = ""
    replace_all: bool = True


class Split(SomeText):
    delimiter: str
    remove_empty: bool = False


class Join(Fields):
    items: list[Any]
    delimiter: str = ""


def _truncate(input: Truncate) -> dict[str, Json]:
    text, most = text_of(input.text), input.max_length
    if len(text) <= most:
        return {"text": text}
    mark = input.ellipsis[:most]
    room = most - len(mark)
    if input.strategy == "end":
        head, tail = room, 0
    elif input.strategy == "start":
        head, tail = 0, room
    else:
        head, tail = (room + 1) // 2, room // 2
    return {"text": text[:head] + mark + text[len(text) - tail :]}


def _concat(input: Concat) -> dict[str, Json]:
    return {"text": one_text(joined(input.values, input.separator))}


def _join(input: Join) -> dict[str, Json]:
    return {"text": one_text(joined(input.items, input.delimiter))}


def _replace(input: Replace) -> dict[str, Json]:
    text = text_of(input.text)
    if not input.search:
        return {"text": text}
    count = text.count(input.search) if input.replace_all else 1
    if len(text) + count * (len(input.replacement) - len(input.search)) > OUTPUT_MAX_BYTES:
        raise too_large("The text")
    return {"text": text.replace(input.search, input.replacement, count)}


def _split(input: Split) -> dict[str, Json]:
    text = text_of(input.text)
    items = text.split(input.delimiter) if input.delimiter else list(text)
    return {"items": [item for item in items if item] if input.remove_empty else items}


def _lowercase(input: SomeText) -> dict[str, Json]:
    return {"text": text_of(input.text).lower()}


def _uppercase(input: SomeText) -> dict[str, Json]:
    return {"text": text_of(input.text).upper()}


def _trim(input: SomeText) -> dict[str, Json]:
    return {"text": text_of(input.text).strip(SPACE)}


TEXT: Final = {
    "truncate_text": Transform(
        Truncate, TextResult, _truncate, "Shorten a text to a number of characters."
    ),
    "concat_text": Transform(Concat, TextResult, _concat, "Put values one after another."),
    "replace_text": Transform(Replace, TextResult, _replace, "Replace a piece of text."),
    "split_text": Transform(Split, Texts, _split, "Cut a text at every delimiter."),
    "join_text": Transform(Join, TextResult, _join, "Join the items of a list."),
    "lowercase_text": Transform(SomeText, TextResult, _lowercase, "Lower case."),
    "uppercase_text": Transform(SomeText, TextResult, _uppercase, "Upper case."),
    "trim_text": Transform(
        SomeText, TextResult, _trim, "Take white space away at both ends of a text."
    ),
}
