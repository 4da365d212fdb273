"""What holds for any plan at all."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract import Json
from engine.interpreter.interpreter import Outcome
from tests.fakes import FakeHost, execute, interpreter, run
from tests.unit.interpreter.random_plans import PAYLOAD, AnsweringHost, random_plan

NUMBERS = st.integers(0, 2**32)

FINAL = {"SUCCEEDED", "FAILED", "CANCELED"}


def document_of(number: int) -> dict[str, Json]:
    return random_plan(number, concurrent=True)


def every_row_is_closed_once(host: FakeHost) -> None:
    """An announced step ends, and no attempt of an occurrence ends twice."""
    ends: Counter[int] = Counter()
    opened = set()
    for end in host.rows:
        if end.status == "STARTED":
            opened.add(end.place.position)
        else:
            opened.discard(end.place.position)
        ends[end.place.position] += end.status in FINAL
    assert not opened
    assert all(count <= 1 for count in ends.values())


def positions_name_one_attempt_each(host: FakeHost) -> None:
    places = [end.place for end in host.rows]
    places += [one.place for one in host.calls("perform") + host.calls("wait")]
    by_position = {place.position: place for place in places}
    assert all(by_position[place.position] == place for place in places)
    attempts = [(place.path, place.iter, place.attempt) for place in by_position.values()]
    assert len(set(attempts)) == len(attempts)


@settings(max_examples=250, deadline=None)
@given(NUMBERS)
def test_any_plan_ends_with_a_closed_timeline(number: int) -> None:
    host = AnsweringHost(number)

    outcome = execute(document_of(number), host, payload=PAYLOAD)

    assert outcome.status in {"SUCCEEDED", "FAILED"}
    assert (outcome.error is None) == (outcome.status == "SUCCEEDED")
    assert outcome.scopes["local"] == {}
    every_row_is_closed_once(host)
    positions_name_one_attempt_each(host)


@settings(max_examples=80, deadline=None)
@given(NUMBERS)
def test_the_same_plan_and_the_same_answers_give_the_same_run(number: int) -> None:
    first, second = AnsweringHost(number), AnsweringHost(number)

    assert execute(document_of(number), first, payload=PAYLOAD) == execute(
        document_of(number), second, payload=PAYLOAD
    )
    assert first.rows == second.rows
    assert first.log == second.log


@settings(max_examples=150, deadline=None)
@given(NUMBERS, st.integers(0, 12))
def test_a_cancel_at_any_moment_ends_the_run_and_closes_what_was_open(
    number: int, seconds: int
) -> None:
    host = AnsweringHost(number)

    async def main() -> Outcome | None:
        running = asyncio.create_task(interpreter(document_of(number), host, payload=PAYLOAD).run())
        await host.sleep_until(host.now() + timedelta(seconds=seconds))
        running.cancel()
        try:
            return await running
        except asyncio.CancelledError:
            return None
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    outcome = run(main())

    every_row_is_closed_once(host)
    if outcome is None:
        closed = [end for end in host.rows if end.status == "CANCELED"]
        inside_out = [end.place.path for end in closed if not end.place.iter]
        assert inside_out == sorted(inside_out, key=len, reverse=True)


@settings(max_examples=80, deadline=None)
@given(NUMBERS)
def test_nothing_that_was_given_is_ever_changed(number: int) -> None:
    document = document_of(number)
    before = repr((document, PAYLOAD))

    execute(document, AnsweringHost(number), payload=PAYLOAD)

    assert repr((document, PAYLOAD)) == before
