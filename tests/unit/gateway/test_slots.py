"""The worker's threads know how many of them are busy."""

from __future__ import annotations

import threading

import pytest

from engine.gateway.slots import CountedPool


def test_what_runs_and_what_waits_for_a_thread_is_busy() -> None:
    release = threading.Event()
    with CountedPool(2) as pool:
        assert (pool.slots, pool.busy) == (2, 0)
        futures = [pool.submit(release.wait, 5) for _ in range(3)]
        assert pool.busy == 3
        release.set()
        assert all(future.result(5) for future in futures)
    assert pool.busy == 0


def test_work_that_raises_is_not_busy_any_more() -> None:
    with CountedPool(1) as pool:
        future = pool.submit(int, "x")
        with pytest.raises(ValueError, match="invalid literal"):
            future.result(5)
    assert pool.busy == 0


def test_work_that_is_refused_is_not_busy() -> None:
    pool = CountedPool(1)
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(int)
    assert pool.busy == 0
