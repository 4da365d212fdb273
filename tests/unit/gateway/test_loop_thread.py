"""The one background loop: time limits, its own thread, forks, and an end that does not hang."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from engine.gateway.loop_thread import LoopThread


@pytest.fixture
def loop_thread():
    thread = LoopThread()
    yield thread
    thread.stop()


async def answer() -> str:
    return "yes"


async def who() -> int:
    return threading.get_ident()


def test_a_coroutine_runs_on_another_thread_and_gives_its_result(loop_thread: LoopThread) -> None:
    assert loop_thread.run(answer(), 1) == "yes"
    assert loop_thread.run(who(), 1) != threading.get_ident()


def test_all_calls_run_on_the_same_thread(loop_thread: LoopThread) -> None:
    found: set[int] = set()
    callers = [
        threading.Thread(target=lambda: found.add(loop_thread.run(who(), 5))) for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 1


def test_no_thread_is_made_before_the_first_call() -> None:
    before = threading.active_count()
    thread = LoopThread()
    assert threading.active_count() == before
    assert thread.stop()


def test_a_call_that_takes_too_long_times_out_and_is_cancelled(loop_thread: LoopThread) -> None:
    cancelled = threading.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        loop_thread.run(endless(), 0.1)
    assert time.monotonic() - began < 2
    assert cancelled.wait(2)


def test_an_error_passes_to_the_caller(loop_thread: LoopThread) -> None:
    async def fails() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        loop_thread.run(fails(), 1)


def test_it_refuses_a_call_from_its_own_thread(loop_thread: LoopThread) -> None:
    async def calls_itself() -> str:
        return loop_thread.run(answer(), 1)

    with pytest.raises(RuntimeError, match="wait for the thread"):
        loop_thread.run(calls_itself(), 2)


def test_stopping_ends_calls_that_still_wait(loop_thread: LoopThread) -> None:
    ended: list[BaseException] = []
    begun = threading.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.sleep(60)

    def caller() -> None:
        try:
            loop_thread.run(endless(), 30)
        except BaseException as error:
            ended.append(error)

    waiting = threading.Thread(target=caller)
    waiting.start()
    assert begun.wait(2)
    assert loop_thread.stop(2)
    waiting.join(2)
    assert len(ended) == 1


def test_stopping_does_not_wait_for_ever_for_a_loop_that_is_blocked() -> None:
    thread = LoopThread()
    release = threading.Event()

    async def blocks() -> None:
        release.wait(10)

    with pytest.raises(TimeoutError):
        thread.run(blocks(), 0.05)
    began = time.monotonic()
    assert not thread.stop(0.1)
    assert time.monotonic() - began < 1
    release.set()


def test_a_call_after_stopping_starts_a_new_thread(loop_thread: LoopThread) -> None:
    first = loop_thread.run(who(), 1)
    loop_thread.stop()
    assert loop_thread.run(answer(), 1) == "yes"
    assert first


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_its_own_thread(loop_thread: LoopThread) -> None:
    loop_thread.run(answer(), 1)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if loop_thread.run(answer(), 2) == "yes" else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert loop_thread.run(answer(), 1) == "yes"
