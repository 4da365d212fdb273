"""The contract's messages as plain JSON objects, both ways, without the cost of reflection.

The SDK's converter takes a millisecond for a message of nested dataclasses, each time; a step sends
one and gets one. A field that has its default is left out; one that is not known is passed over, so
that an older worker reads what a newer one has added (contract: fields are only ever added).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

Convert = Callable[[Any], Any]
_REQUIRED: Final = object()


def pack(message: Any) -> dict[str, Any]:
    """A contract dataclass as the JSON object that `unpack` reads."""
    packed = {}
    for name, default, convert, _ in _members(type(message)):
        value = getattr(message, name)
        if default is _REQUIRED or value != default:
            packed[name] = value if convert is None else convert(value)
    return packed


def unpack(kind: type[T], packed: dict[str, Any]) -> T:
    """Raises TypeError when a field that has no default is missing."""
    values = {}
    for name, _, _, convert in _members(kind):
        if name in packed:
            value = packed[name]
            values[name] = value if convert is None else convert(value)
    return kind(**values)


_Member = tuple[str, Any, Convert | None, Convert | None]
"""Name, default, how it is packed and unpacked (None: as it is)."""


def _members(kind: type[Any]) -> tuple[_Member, ...]:
    found = _known.get(kind)
    if found is None:
        found = _known[kind] = _read_members(kind)
    return found


_known: Final[dict[type[Any], tuple[_Member, ...]]] = {}


def _read_members(kind: type[Any]) -> tuple[_Member, ...]:
    hints = get_type_hints(kind)
    return tuple(
        (field.name, _default(field), *_converters(hints[field.name])) for field in fields(kind)
    )


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else _REQUIRED


def _converters(hint: Any) -> tuple[Convert | None, Convert | None]:
    if is_dataclass(hint):
        kind: type[Any] = hint  # type: ignore[assignment]
        return pack, lambda value: unpack(kind, value)
    if get_origin(hint) is list and is_dataclass(item := get_args(hint)[0]):
        of: type[Any] = item  # type: ignore[assignment]
        return (
            lambda values: [pack(value) for value in values],
            lambda values: [unpack(of, value) for value in values],
        )
    return None, None
