"""Background work goes on after a failure, and ends when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from engine.errors import Unavailable
from engine.services.repeat import Repeating


class Work:
    def __init__(self, fails: int = 0) -> None:
        self.done = 0
        self.fails = fails
        self.enough = threading.Event()

    def __call__(self) -> None:
        self.done += 1
        if self.done >= 5:
            self.enough.set()
        if self.done <= self.fails:
            raise ValueError("not yet")


@pytest.fixture
def logged() -> Iterator[list]:
    with capture_logs() as logs:
        yield logs


def test_it_works_at_once_and_then_again_and_again() -> None:
    work = Work()
    repeating = Repeating("beat", 0.001, work)
    repeating.start()
    assert work.enough.wait(5)
    assert repeating.stop(5)
    done = work.done
    time.sleep(0.02)
    assert work.done == done


def test_a_failure_is_logged_once_in_full_and_does_not_end_it(logged: list) -> None:
    work = Work(fails=3)
    repeating = Repeating("beat", 0.001, work)
    repeating.start()
    assert work.enough.wait(5)
    repeating.stop(5)
    assert [line["event"] for line in logged] == [
        "background.failed",
        "background.still_failing",
        "background.still_failing",
        "background.recovered",
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            OperationalError("SELECT 1", {}, Exception("connection refused\nmore")),
            "connection refused",
        ),
        (
            Unavailable("Temporal at here:7233 does not answer."),
            "Temporal at here:7233 does not answer.",
        ),
    ],
    ids=["database", "temporal"],
)
def test_what_is_away_is_logged_in_a_line_and_without_a_traceback(
    logged: list, error: Exception, reason: str
) -> None:
    failed = threading.Event()

    def work() -> None:
        failed.set()
        raise error

    repeating = Repeating("beat", 60, work)
    repeating.start()
    assert failed.wait(5)
    repeating.stop(5)
    assert logged == [
        {"event": "background.failed", "log_level": "warning", "task": "beat", "reason": reason}
    ]


def test_stopping_does_not_wait_for_the_next_beat() -> None:
    repeating = Repeating("beat", 60, lambda: None)
    repeating.start()
    began = time.monotonic()
    assert repeating.stop(5)
    assert time.monotonic() - began < 1


def test_stopping_does_not_wait_for_ever_for_work_that_hangs() -> None:
    release = threading.Event()
    repeating = Repeating("beat", 60, lambda: release.wait(10))
    repeating.start()
    assert not repeating.stop(0.05)
    release.set()
