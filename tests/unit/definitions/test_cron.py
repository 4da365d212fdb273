"""When a cron line runs: summer time both ways, ends of months; and which lines are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from engine.definitions.cron import fault_of, next_time, times_after


def times(cron: str, after: str, *, zone: str = "Europe/Berlin", number: int = 2) -> list[str]:
    found = islice(times_after(cron, zone, datetime.fromisoformat(after)), number)
    return [time.strftime("%m-%dT%H:%M") for time in found]


def test_a_time_of_day_keeps_its_place_on_the_clock_when_summer_begins_and_ends() -> None:
    assert times("0 9 * * *", "2026-03-28T00:00Z") == ["03-28T08:00", "03-29T07:00"]
    assert times("0 9 * * *", "2026-10-24T00:00Z") == ["10-24T07:00", "10-25T08:00"]


def test_a_time_that_a_day_lacks_runs_once_when_the_clock_has_jumped() -> None:
    assert times("30 2 * * *", "2026-03-28T12:00Z") == ["03-29T01:00", "03-30T00:30"]


def test_a_time_that_a_day_has_twice_runs_the_first_time_only() -> None:
    assert times("30 2 * * *", "2026-10-24T12:00Z") == ["10-25T00:30", "10-26T01:30"]
    # Asked within the hour that comes again.
    assert times("30 2 * * *", "2026-10-25T01:10Z", number=1) == ["10-26T01:30"]


def test_every_hour_goes_by_real_hours() -> None:
    expected = [f"10-{24 if hour > 20 else 25}T{hour:02}:00" for hour in (23, 0, 1, 2)]
    assert times("0 * * * *", "2026-10-24T22:00Z", number=4) == expected


def test_a_month_without_the_day_is_left_out() -> None:
    after = "2026-01-31T12:00Z"
    assert times("0 0 31 * *", after, zone="UTC") == ["03-31T00:00", "05-31T00:00"]
    leap = next_time("0 0 29 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC))
    assert (leap.year, leap.month, leap.day) == (2028, 2, 29)


def test_sunday_is_0_and_7() -> None:
    assert times("0 0 * * 0", "2026-11-23T00:00Z", zone="UTC") == times(
        "0 0 * * 7", "2026-11-23T00:00Z", zone="UTC"
    )


def test_the_next_time_is_later_than_now() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert next_time("0 9 * * *", "UTC", now) == now + timedelta(days=1)
    assert next_time("0 9 * * *", "UTC", now - timedelta(microseconds=1)) == now


def test_an_unknown_zone_and_an_impossible_line_are_told_apart_from_a_next_time() -> None:
    for cron, zone in (("0 9 * * *", "X/Y"), ("0 9 31 2 *", "UTC")):
        with pytest.raises(ValueError, match="has no time"):
            next_time(cron, zone, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "cron",
    ["*/5 * * * *", "0,5 * * * *", "0 9 * * 1-5", "0 9,10 1,15 * *", "58 * * * *",
     "0,58 9 * * *", "*/10 8-17 * * 1-5", "2-59/5 * * * *", "*/7 * * * *", "*/59 * * * *"],
)  # fmt: skip
def test_these_lines_are_fine(cron: str) -> None:
    assert fault_of(cron) is None


@pytest.mark.parametrize(
    ("cron", "says"),
    [("", "five fields"), ("0 9 * *", "five fields"), ("0 0 9 * * *", "five fields"),
     ("0 9 * * MON", "digits"), ("@daily", "five fields"), ("0 9 L * *", "digits"),
     ("0 9 1 * 1", "exclude"), ("60 * * * *", "bad minute"), ("0 24 * * *", "bad hour"),
     ("0 0 0 * *", "bad day-of-month"), ("0 0 31 2 *", "bad day-of-month"),
     ("0 0 * 13 *", "bad month"), ("0 0 * * 8", "bad day-of-week"), ("5-1 * * * *", "bad minute"),
     ("*/0 * * * *", "bad minute"), ("0 9 * * 1,,2", "bad day-of-week"),
     (f"0 9 * * {'1,' * 64}1", "128 characters"),
     ("* * * * *", "1 min apart"), ("*/4 * * * *", "4 min apart"), ("0,1,2,3 * * * *", "1 min"),
     ("0,58 * * * *", "2 min apart"), ("0,3 9 1 * *", "3 min apart"),
     ("0-59/7 * * * *", "4 min apart"), ("58,0 0,23 * * *", "2 min apart")],
)  # fmt: skip
def test_a_line_that_is_no_time_or_runs_too_often_is_refused(cron: str, says: str) -> None:
    assert says in (fault_of(cron) or "")
