"""The list's address as text: kept in forms and in saved views, and read again."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

_KNOWN: Final = frozenset(
    {
        "status",
        "workflow",
        "version",
        "trigger",
        "last",
        "from",
        "to",
        "queued",
        "q",
        "columns",
        "all",
    }
)
_LONGEST: Final = 4000
_MOST_FIELDS: Final = 100


def read_query(text: str) -> MultiDict[str, str]:
    """The fields of a query string; of one that is none, or too long, none."""
    try:
        pairs = parse_qsl(text[:_LONGEST].lstrip("?"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        pairs = []
    return MultiDict(pairs)


def normal_query(text: str) -> str:
    """The fields that the list knows, in a place of its pages or without."""
    return as_query(read_query(text))


def as_query(fields: MultiDict[str, str]) -> str:
    """As they were given, those that the list knows."""
    kept = [(name, value) for name, value in fields.items(multi=True) if value.strip()]
    return urlencode([pair for pair in kept if pair[0] in _KNOWN or pair[0] == "cursor"])


def filters_only(text: str) -> str:
    """Without the place in the pages."""
    kept = read_query(normal_query(text)).items(multi=True)
    return urlencode([pair for pair in kept if pair[0] not in {"cursor", "all"}])
