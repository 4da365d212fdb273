"""Rate limits: exact, shared by processes, and without a doubling when the minute turns."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from engine.errors import TooMany
from engine.services import rate_limit
from engine.store.session import Store
from engine.store.tables import RateLimitCounter
from tests.builders import NOW

START = NOW.replace(second=0, microsecond=0)


def attempt(store: Store, now: datetime, bucket: str = "sign-in:1", limit: int = 5) -> bool:
    try:
        with store.writing() as session:
            rate_limit.count(session, bucket, limit, now)
    except TooMany:
        return False
    return True


def allowed(store: Store, times: int, now: datetime, bucket: str = "sign-in:1") -> int:
    return sum(attempt(store, now, bucket) for _ in range(times))


def test_what_is_above_the_limit_is_refused(store: Store) -> None:
    assert allowed(store, 8, START) == 5


def test_buckets_do_not_share_a_limit(store: Store) -> None:
    assert allowed(store, 8, START) == 5
    assert allowed(store, 8, START, bucket="sign-in:2") == 5


def test_a_turn_of_the_minute_does_not_double_the_limit(store: Store) -> None:
    assert allowed(store, 5, START + timedelta(seconds=59)) == 5
    assert allowed(store, 5, START + timedelta(seconds=61)) == 0
    assert allowed(store, 5, START + timedelta(seconds=90)) == 2


def test_after_two_minutes_the_whole_limit_is_there_again(store: Store) -> None:
    assert allowed(store, 5, START) == 5
    assert allowed(store, 8, START + timedelta(seconds=120)) == 5


@pytest.mark.parametrize("second", [0, 1, 30, 59])
def test_after_the_wait_that_was_told_one_more_is_allowed(store: Store, second: int) -> None:
    now = START + timedelta(seconds=second)
    assert allowed(store, 5, now) == 5
    with pytest.raises(TooMany) as refused, store.writing() as session:
        rate_limit.count(session, "sign-in:1", 5, now)
    assert attempt(store, now + timedelta(seconds=refused.value.retry_after_s))


def test_what_is_given_back_may_be_used_again(store: Store) -> None:
    with store.writing() as session:
        counted = rate_limit.count(session, "sign-in:1", 1, START)
        rate_limit.give_back(session, counted)
    assert attempt(store, START, limit=1)
    assert not attempt(store, START, limit=1)


def test_what_is_rolled_back_is_not_counted(store: Store) -> None:
    with store.writing() as session:
        rate_limit.count(session, "sign-in:1", 1, START)
        session.rollback()
    assert attempt(store, START, limit=1)


def test_threads_together_keep_the_limit(store: Store) -> None:
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.extend(attempt(store, START) for _ in range(4)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(True) == 5


def test_old_counters_are_forgotten(store: Store) -> None:
    assert attempt(store, START)
    with store.writing() as session:
        rate_limit.forget_old(session, START + timedelta(days=2))
        assert session.scalar(select(func.count()).select_from(RateLimitCounter)) == 0
