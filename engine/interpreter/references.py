"""Large values that live in the store: fetched when an expression needs them, true to the byte.

What is fetched is kept for the execution, bounded by size; both are functions of what was
executed, so that a replayed history fetches the same values again and no others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from engine.contract import Json
from engine.interpreter.host import ValueRef

KEPT_BYTES: Final = 16 * 1024 * 1024

Fetch = Callable[[ValueRef], Awaitable[Json]]


class FetchedValues:
    """True values by id, the least recently used leave first."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._values: dict[str, Json] = {}
        self._bytes: dict[str, int] = {}

    async def value(self, reference: ValueRef) -> Json:
        key = reference.value_id
        if key in self._values:
            self._values[key] = found = self._values.pop(key)
            return found
        found = await self._fetch(reference)
        self._values[key] = found
        self._bytes[key] = reference.bytes
        while sum(self._bytes.values()) > KEPT_BYTES and len(self._values) > 1:
            oldest = next(iter(self._values))
            del self._values[oldest], self._bytes[oldest]
        return found

    async def substitute(self, value: Json) -> Json:
        """`value` with every reference in it replaced; what holds none is not copied."""
        found = {reference.value_id: await self.value(reference) for reference in within(value)}
        return _replaced(value, found) if found else value


def within(value: Json) -> Iterator[ValueRef]:
    """Every reference in `value`, in document order."""
    if isinstance(value, ValueRef):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from within(member)
    elif isinstance(value, list):
        for member in value:
            yield from within(member)


def _replaced(value: Json, found: dict[str, Json]) -> Json:
    if isinstance(value, ValueRef):
        return found[value.value_id]
    if isinstance(value, dict):
        return {key: _replaced(member, found) for key, member in value.items()}
    if isinstance(value, list):
        return [_replaced(member, found) for member in value]
    return value
