"""Masks what must not be seen. Every page, partial, export, log and audit row goes through here.

Three rules, each of which masks: a key that matches a pattern (built in: secret, token, password,
api key, authorization); a JSON pointer of the installation or the workflow, rooted at /payload or
/vars; and the very values found at such places, wherever else they turn up, so that a masked field
which an author copies into a step's input stays masked. A secret reference {"$secret": NAME} is no
value and stays. A rule that cannot be compiled raises ValueError: redaction fails closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.runs.strict_json import child_pointer

MASK: Final = "[REDACTED]"
POLICY_VERSION: Final = 2
"""Raised with every change of what is masked; exports carry it."""

_BUILT_IN: Final = r"secret|token|password|passwd|api[_\-]?key|authorization"
_SHORTEST_PART: Final = 4
"""A shorter value is masked only where it is the whole text: as a part it would mask everything."""


class Redactor:
    """The rules of an installation and a workflow, and the values known to be sealed."""

    def __init__(
        self,
        patterns: Sequence[str] = (),
        pointers: Sequence[str] = (),
        *,
        sealed: Iterable[str] = (),
    ) -> None:
        self._patterns = tuple(patterns)
        self._keys = _keys("|".join([_BUILT_IN, *(_stripped(p) for p in patterns)]))
        self._pointers = tuple(_checked(pointer) for pointer in pointers)
        self._sealed = frozenset(sealed)
        self._whole = frozenset(value.casefold() for value in self._sealed)
        parts = [value for value in self._sealed if len(value) >= _SHORTEST_PART]
        self._parts = _Parts(parts) if parts else None

    @property
    def sealed(self) -> frozenset[str]:
        """The values that are masked wherever they turn up. For other redactors only."""
        return self._sealed

    def knowing(self, value: Json, root: str) -> Redactor:
        """This redactor, which also masks the values that stand at masked places of `value`."""
        return self.knowing_all([(value, root)])

    def knowing_all(self, values: Iterable[tuple[Json, str]]) -> Redactor:
        """As `knowing`, of many values at once: each with the root at which it stands."""
        found: set[str] = set()
        for value, root in values:
            self._collect(value, root, found)
        if found <= self._sealed:
            return self
        return Redactor(self._patterns, self._pointers, sealed=self._sealed | found)

    def redact(self, value: Json, root: str = "") -> RedactedPayload:
        """`value` as it may be shown. `root` is where it stands: /payload, /vars/<name> or ""."""
        return RedactedPayload(self._walk(value, root))

    def redact_text(self, text: str) -> str:
        """A message with the sealed values in it masked."""
        if not self._sealed:
            return text
        if text.casefold() in self._whole:
            return MASK
        return self._parts.mask(text) if self._parts else text

    def _walk(self, value: Json, pointer: str) -> Json:
        if self._is_pointed_at(pointer):
            return _mask(value)
        if isinstance(value, dict):
            if is_secret_reference(value):
                return value
            return {
                self.redact_text(key): _mask(item)
                if self._keys(key)
                else self._walk(item, child_pointer(pointer, key))
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [
                self._walk(item, child_pointer(pointer, index)) for index, item in enumerate(value)
            ]
        return self._leaf(value)

    def _collect(self, value: Json, pointer: str, found: set[str]) -> None:
        """Add what stands at masked places of `value`: the places at which `_walk` masks."""
        if self._is_pointed_at(pointer):
            _note(value, found)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._collect_below(item, pointer, index, found)
        elif isinstance(value, dict) and not is_secret_reference(value):
            for key, item in value.items():
                if self._keys(key):
                    _note(item, found)
                else:
                    self._collect_below(item, pointer, key, found)

    def _collect_below(self, item: Json, pointer: str, name: str | int, found: set[str]) -> None:
        """Without rules by place nobody need know where a value stands, nor look at single ones."""
        if self._pointers:
            self._collect(item, child_pointer(pointer, name), found)
        elif isinstance(item, dict | list):
            self._collect(item, "", found)

    def _leaf(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.redact_text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return MASK if str(value) in self._whole else value
        return value

    def _is_pointed_at(self, pointer: str) -> bool:
        """At a pointer, or below one (a value whose root lies deeper than the rule)."""
        return any(pointer == rule or pointer.startswith(f"{rule}/") for rule in self._pointers)


@lru_cache(maxsize=64)
def _keys(pattern: str) -> Callable[[str], bool]:
    """Does a key name a secret? Rows have the same few keys again and again: it is remembered."""
    found = re.compile(pattern, re.IGNORECASE)
    return lru_cache(maxsize=4096)(lambda key: found.search(key) is not None)


def is_secret_reference(value: Json) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("$secret"), str)


def _mask(value: Json) -> Json:
    return value if is_secret_reference(value) else MASK


def _note(value: Json, found: set[str]) -> None:
    if not is_secret_reference(value):
        found.update(_leaves(value))


def _leaves(value: Json) -> Iterable[str]:
    """The texts and the longer numbers in a masked value; true, null and 7 give nothing away."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str) and value and value != MASK:
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        if len(text) >= _SHORTEST_PART:
            yield text


class _Parts:
    """Values that are masked wherever they stand in a text.

    However many there are, looking for them costs what the text is long: an expression of
    alternatives would try each of them at each letter.
    """

    def __init__(self, values: Iterable[str]) -> None:
        groups: dict[str, list[str]] = {}
        for value in set(map(_folded, values)):
            groups.setdefault(value[:_SHORTEST_PART], []).append(value)
        self._by_beginning = {
            start: sorted(group, key=len, reverse=True) for start, group in groups.items()
        }
        letters = "".join(sorted({start[0] for start in groups}))
        self._first_letter = re.compile(f"[{re.escape(letters)}]")

    def mask(self, text: str) -> str:
        """Of several that begin at one letter, the longest."""
        folded, done = _folded(text), 0
        kept: list[str] = []
        for found in self._first_letter.finditer(folded):
            at = found.start()
            if at < done:
                continue
            for value in self._by_beginning.get(folded[at : at + _SHORTEST_PART], ()):
                if folded.startswith(value, at):
                    kept += (text[done:at], MASK)
                    done = at + len(value)
                    break
        return "".join((*kept, text[done:])) if kept else text


def _folded(text: str) -> str:
    """Without upper and lower case, letter for letter: what is found stands at the same place."""
    if text.isascii():
        return text.lower()
    return "".join(map(_folded_letter, text))


@lru_cache(maxsize=4096)
def _folded_letter(letter: str) -> str:
    small = letter.casefold()
    return small if len(small) == 1 else letter.lower()[0]


def _stripped(pattern: str) -> str:
    """A pattern may be written /like this/; raises ValueError when it is no regular expression."""
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        pattern = pattern[1:-1]
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"redaction pattern {pattern!r}: {error}") from None
    return f"(?:{pattern})"


def _checked(pointer: str) -> str:
    if pointer.split("/")[:2] not in (["", "payload"], ["", "vars"]):
        raise ValueError(f"redaction pointer {pointer!r} must begin with /payload or /vars")
    return pointer
