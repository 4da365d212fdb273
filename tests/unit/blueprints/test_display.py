"""Durations, cursors and addresses, as people see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from blueprints.auth.forms import safe_next
from blueprints.display import between, lasted
from engine.errors import Invalid
from engine.services.keyset import Cursor


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (-5, "0 ms"), (820, "820 ms"), (3200, "3.2 s"), (59_600, "1 min"),
     (125_000, "2 min 5 s"), (3_600_000, "1 h"), (3_780_000, "1 h 3 min"),
     (3_605_000, "1 h"), (187_200_000, "2 d 4 h")],
)  # fmt: skip
def test_a_duration_is_its_two_largest_units(milliseconds: int, text: str) -> None:
    assert lasted(milliseconds) == text


def test_clocks_that_differ_give_no_negative_duration() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert between(now, now - timedelta(seconds=1)) == 0


def test_a_cursor_reads_back_to_the_microsecond() -> None:
    at = datetime(2026, 11, 23, 9, 30, 0, 123_457, tzinfo=UTC)
    for newer in (True, False):
        cursor = Cursor(at, "11111111-1111-4111-8111-111111111111", newer=newer)
        assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "####", "bzEu", "é" * 9, "bz" * 4000])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Cursor.parse(text)


@pytest.mark.parametrize("address", ["/", "/runs", "/runs?status=FAILED&x=%2F", "/a:b"])
def test_an_address_of_this_site_is_followed(address: str) -> None:
    assert safe_next(address) == address
