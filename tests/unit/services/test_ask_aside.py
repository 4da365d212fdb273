"""Asking Temporal beside the page: once for all who look, and never waited for long."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from engine.errors import Unavailable
from engine.services.ask_aside import Answer, AskAside

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def refuse() -> int:
    raise Unavailable("Temporal does not answer.")


def test_many_who_look_at_once_ask_once() -> None:
    asked: list[int] = []
    aside: AskAside[int] = AskAside()
    found: list[Answer[int]] = []

    def question() -> int:
        asked.append(1)
        time.sleep(0.05)
        return 7

    looking = [
        threading.Thread(target=lambda: found.append(aside.ask("queue", NOW, question)))
        for _ in range(8)
    ]
    for thread in looking:
        thread.start()
    for thread in looking:
        thread.join()
    assert (asked, {answer.value for answer in found}) == ([1], {7})


def test_an_answer_is_believed_for_two_seconds_and_an_absence_for_five() -> None:
    aside: AskAside[int] = AskAside()
    assert aside.ask("a", NOW, lambda: 1).value == 1
    assert aside.ask("a", NOW + timedelta(seconds=1.9), lambda: 2).value == 1
    assert aside.ask("a", NOW + timedelta(seconds=2), lambda: 2).value == 2
    assert not aside.ask("b", NOW, refuse).there
    assert not aside.ask("b", NOW + timedelta(seconds=4.9), lambda: 1).there
    assert aside.ask("b", NOW + timedelta(seconds=5), lambda: 1).there


def test_what_hangs_is_not_waited_for_and_a_young_answer_stands_in() -> None:
    aside: AskAside[int] = AskAside()
    over = threading.Event()

    def hang() -> int:
        over.wait(20)
        return 2

    assert aside.ask("a", NOW, lambda: 1).value == 1
    began = time.monotonic()
    later = NOW + timedelta(seconds=3)
    assert aside.ask("a", later, hang, patience_s=0.05).value == 1
    assert not aside.ask("a", NOW + timedelta(seconds=16), hang, patience_s=0.05).there
    assert not aside.ask("other", NOW, hang, patience_s=0.05).there
    assert time.monotonic() - began < 5
    over.set()


def test_who_was_absent_before_is_hardly_waited_for() -> None:
    aside: AskAside[int] = AskAside()
    over = threading.Event()
    assert not aside.ask("a", NOW, refuse).there
    began = time.monotonic()
    found = aside.ask("a", NOW + timedelta(seconds=6), lambda: (over.wait(20) and 1) or 2)
    assert not found.there
    assert time.monotonic() - began < 1.4
    over.set()
