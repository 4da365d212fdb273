"""Edges of the transforms of objects and lists: what goes in."""

from __future__ import annotations

from typing import Any, Final

from tests.unit.transforms.edge_values import ASTRAL, COMBINING, DEEP, FAMILY, HUGE

STRUCTURE: Final[dict[str, dict[str, Any]]] = {
    "coalesce_value": {
        "first": {"candidates": [None, "", "ticket-123"]},
        "empty text counts": {"candidates": [None, ""], "treatEmptyStringAsMissing": False},
        "false and 0 count": {"candidates": [None, False, 0]},
        "0": {"candidates": [0, 1]},
        "empty list counts": {"candidates": [None, []]},
        "white space is not empty": {"candidates": ["", " "]},
        "none": {"candidates": [None, ""]},
        "empty": {"candidates": []},
        "null": {"candidates": None},
        "unicode": {"candidates": [None, {"ü": ASTRAL}]},
        "huge": {"candidates": [None] * 100_000 + [HUGE]},
        "missing": {},
    },
    "build_object": {
        "plain": {"fields": [{"key": "id", "value": "t-1"}, {"key": "n", "value": None}]},
        "empty": {"fields": []},
        "key twice": {"fields": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]},
        "empty key": {"fields": [{"key": "", "value": 1}]},
        "null key": {"fields": [{"key": None, "value": 1}]},
        "no value": {"fields": [{"key": "a"}]},
        "unicode": {"fields": [{"key": COMBINING, "value": ASTRAL}]},
        "names of the machine": {"fields": [{"key": "__proto__", "value": 1}]},
        "huge": {"fields": [{"key": f"k{n}", "value": n} for n in range(50_000)]},
        "too deep": {"fields": [{"key": "a", "value": [DEEP]}]},
        "null": {"fields": None},
        "missing": {},
    },
    "pick_fields": {
        "plain": {"source": {"b": 1, "a": 2, "c": 3}, "fields": ["a", "b"]},
        "not there": {"source": {"a": None}, "fields": ["a", "x"]},
        "dotted names are names": {"source": {"a.b": 1, "a": {"b": 2}}, "fields": ["a.b"]},
        "null source": {"source": None, "fields": ["a"]},
        "list": {"source": [], "fields": ["a"]},
        "no fields": {"source": {"a": 1}, "fields": []},
        "empty source": {"source": {}, "fields": ["a"]},
        "empty name": {"source": {"": 1}, "fields": [""]},
        "unicode": {"source": {"é": 1, "e\u0301": 2}, "fields": ["e\u0301"]},
        "huge": {"source": {f"k{n}": n for n in range(50_000)}, "fields": ["k49999", "k0"]},
        "missing": {"fields": []},
    },
    "rename_fields": {
        "plain": {
            "source": {"ticket_id": "t-1", "priority": "high"},
            "renames": [{"from": "ticket_id", "to": "ticketId"}],
        },
        "swap": {
            "source": {"a": 1, "b": 2},
            "renames": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}],
        },
        "onto another": {"source": {"a": 1, "b": 2}, "renames": [{"from": "a", "to": "b"}]},
        "to itself": {"source": {"a": 1}, "renames": [{"from": "a", "to": "a"}]},
        "not there": {"source": {"a": 1}, "renames": [{"from": "x", "to": "y"}]},
        "to two names": {
            "source": {"a": 1},
            "renames": [{"from": "a", "to": "b"}, {"from": "a", "to": "c"}],
        },
        "no renames": {"source": {"a": 1}, "renames": []},
        "null source": {"source": None, "renames": []},
        "empty name": {"source": {"a": 1}, "renames": [{"from": "a", "to": ""}]},
        "unicode": {"source": {ASTRAL: 1}, "renames": [{"from": ASTRAL, "to": COMBINING}]},
        "huge": {
            "source": {f"k{n}": n for n in range(50_000)},
            "renames": [{"from": "k0", "to": "first"}],
        },
        "missing": {"source": {}},
    },
    "append_array": {
        "plain": {"items": ["ticket"], "values": ["contact", ["client"]]},
        "empty": {"items": [], "values": []},
        "null inside": {"items": [None], "values": [None]},
        "null": {"items": None, "values": [1]},
        "no list": {"items": [], "values": "a"},
        "unicode": {"items": [ASTRAL], "values": [COMBINING]},
        "huge": {"items": list(range(100_000)), "values": [1]},
        "too large": {"items": [HUGE] * 5, "values": [HUGE] * 5},
        "missing": {"items": []},
    },
    "build_array": {
        "plain": {"items": ["ticket", 42, {"status": "open"}, None]},
        "empty": {"items": []},
        "null": {"items": None},
        "object": {"items": {}},
        "unicode": {"items": [ASTRAL, COMBINING, FAMILY]},
        "62 levels": {"items": DEEP},
        "65 levels": {"items": [[[DEEP]]]},
        "huge": {"items": list(range(100_000))},
        "too large": {"items": [HUGE] * 9},
        "missing": {},
    },
}
