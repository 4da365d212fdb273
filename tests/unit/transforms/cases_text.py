"""Edges of the transforms of text: what goes in."""

from __future__ import annotations

from typing import Any, Final

from tests.unit.transforms.edge_values import ASTRAL, COMBINING, FAMILY, HUGE, MIXED


def _text(**more: Any) -> dict[str, dict[str, Any]]:
    """The edges that every transform of one text shares."""
    return {
        "plain": {"text": "  Hello World  ", **more},
        "empty": {"text": "", **more},
        "null": {"text": None, **more},
        "number": {"text": 12.0, **more},
        "fraction": {"text": -0.5, **more},
        "true": {"text": True, **more},
        "object": {"text": {"b": [1.0, None], "a": "ü"}, **more},
        "unicode": {"text": MIXED, **more},
        "huge": {"text": HUGE, **more},
        "missing": {**more},
        "unknown field": {"text": "", "colour": 1, **more},
    }


TEXT: Final[dict[str, dict[str, Any]]] = {
    "truncate_text": {
        **_text(maxLength=8),
        "middle": {"text": "workflow designer", "maxLength": 12, "strategy": "middle"},
        "start": {"text": "workflow designer", "maxLength": 12, "strategy": "start"},
        "fits exactly": {"text": ASTRAL + COMBINING, "maxLength": 6},
        "one less": {"text": ASTRAL + COMBINING, "maxLength": 5, "ellipsis": "…"},
        "joined signs": {"text": FAMILY, "maxLength": 4, "ellipsis": ""},
        "nothing left": {"text": "abc", "maxLength": 0},
        "shorter than the ellipsis": {"text": "abcdef", "maxLength": 2},
        "start without ellipsis": {
            "text": "abcdef",
            "maxLength": 2,
            "strategy": "start",
            "ellipsis": "",
        },
        "length as float": {"text": "abcdef", "maxLength": 4.0},
        "half a length": {"text": "abcdef", "maxLength": 4.5},
        "length below 0": {"text": "a", "maxLength": -1},
        "length as text": {"text": "a", "maxLength": "4"},
        "unknown strategy": {"text": "a", "maxLength": 4, "strategy": "left"},
    },
    "concat_text": {
        "plain": {"values": ["workflow", "designer"], "separator": " "},
        "all kinds": {"values": ["a", None, 1.0, 2.5, True, {"b": [1]}, []], "separator": "|"},
        "empty": {"values": []},
        "one": {"values": ["a"], "separator": ","},
        "only null": {"values": [None, None]},
        "null values": {"values": None},
        "unicode": {"values": ["e", "\u0301", ASTRAL]},
        "huge": {"values": [HUGE, HUGE], "separator": "\n"},
        "too large": {"values": [HUGE] * 9},
        "large separator": {"values": [""] * 100_000, "separator": "x" * 1000},
        "missing": {},
    },
    "replace_text": {
        **_text(search="l", replacement="L"),
        "first": {"text": "a a", "search": "a", "replacement": "b", "replaceAll": False},
        "take away": {"text": "a-b-c", "search": "-"},
        "no pattern": {"text": "a.c", "search": ".", "replacement": "$&"},
        "empty search": {"text": "abc", "search": "", "replacement": "x"},
        "overlapping": {"text": "aaa", "search": "aa", "replacement": "b"},
        "base of a combined": {"text": COMBINING, "search": "e", "replacement": "o"},
        "grows too large": {"text": "a" * 500_000, "search": "a", "replacement": "xxxxxxxxx"},
    },
    "split_text": {
        **_text(delimiter=" "),
        "without empty": {"text": "a,,b", "delimiter": ",", "removeEmpty": True},
        "at every sign": {"text": ASTRAL + COMBINING, "delimiter": ""},
        "empty at nothing": {"text": "", "delimiter": ""},
        "delimiter at both ends": {"text": ",a,", "delimiter": ","},
        "not there": {"text": "abc", "delimiter": ";"},
        "too large": {"text": "x" * 1_500_000, "delimiter": ""},
    },
    "join_text": {
        "plain": {"items": ["workflow", "designer"], "delimiter": "::"},
        "all kinds": {"items": ["a", None, 0, False, [1, 2]], "delimiter": ","},
        "empty": {"items": []},
        "no delimiter": {"items": [1, 2, 3]},
        "null": {"items": None},
        "text": {"items": "abc"},
        "unicode": {"items": [ASTRAL, COMBINING], "delimiter": FAMILY},
        "huge": {"items": ["x"] * 200_000, "delimiter": ","},
        "too large": {"items": [HUGE] * 9, "delimiter": ""},
        "missing": {},
    },
    "lowercase_text": {**_text(), "final sigma": {"text": "ΟΔΟΣ"}},
    "uppercase_text": {**_text(), "ligature": {"text": "ﬁn"}},
    "trim_text": {
        **_text(),
        "every space": {"text": "\u00a0\u2003\ufeff\r\n a \u3000\u2028"},
        "zero width is no space": {"text": "\u200ba\u200b"},
    },
}
