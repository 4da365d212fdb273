"""Who reconciles, and which workers live: rows that expire (docs/rules.md 6 and 11)."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from engine.services import heartbeat, leases
from engine.services.context import Services
from engine.services.heartbeat import Worker
from engine.store.session import Store
from engine.store.tables import WorkerHeartbeat
from engine.store.workers import WorkerState
from tests import builders
from tests.builders import NOW

EVERY, HELD_FOR = timedelta(seconds=14), timedelta(seconds=120)
ME = Worker(
    identity="7@here-a",
    namespace="default",
    registry_fingerprint="abc",
    slots=20,
    started_at=NOW,
)


@pytest.fixture
def services(store: Store) -> Services:
    return builders.services(store)


def at(services: Services, seconds: float) -> Services:
    return replace(services, now=lambda: NOW + timedelta(seconds=seconds))


def take(services: Services, owner: str) -> leases.Held | None:
    return leases.take(services, "reconciler", owner, held_for=HELD_FOR, every=EVERY)


def test_one_owner_at_a_time_holds_a_lease(services: Services) -> None:
    assert take(services, "a") is not None
    assert take(at(services, 60), "b") is None


def test_a_lease_that_is_given_back_can_be_taken_when_the_next_pass_is_due(
    services: Services,
) -> None:
    held = take(services, "a")
    assert held is not None
    leases.give_back(services, held, {"mended": {"started": 1}})
    assert take(at(services, 13), "b") is None
    again = take(at(services, 14), "b")
    assert again is not None
    assert again.last_pass == {"mended": {"started": 1}}


def test_a_holder_that_died_keeps_a_lease_until_it_runs_out_and_no_longer(
    services: Services,
) -> None:
    take(services, "dead")
    assert take(at(services, 120), "b") is None
    assert take(at(services, 121), "b") is not None


def test_a_lease_that_is_renewed_does_not_run_out_and_one_that_has_is_not_renewed(
    services: Services,
) -> None:
    held = take(services, "a")
    assert held is not None
    assert leases.renew(at(services, 100), held, held_for=HELD_FOR)
    assert take(at(services, 200), "b") is None
    assert take(at(services, 221), "b") is not None
    assert not leases.renew(at(services, 222), held, held_for=HELD_FOR)


@pytest.mark.parametrize("given_back", [True, False])
def test_a_holder_whose_clock_was_an_hour_ahead_holds_nobody_up(
    services: Services, given_back: bool
) -> None:
    """Dead in its pass or not: else nobody would pass until all clocks are there."""
    ahead = take(at(services, 3600), "ahead")
    assert ahead is not None
    if given_back:
        leases.give_back(services, ahead, {})
    assert take(services, "right") is not None


def test_a_clock_that_is_a_little_ahead_is_no_reason_to_take_a_lease_away(
    services: Services,
) -> None:
    assert take(at(services, 5), "a little ahead") is not None
    assert take(services, "b") is None


def test_who_lost_a_lease_cannot_overwrite_its_new_holder_s_report(services: Services) -> None:
    slow = take(services, "slow")
    new = take(at(services, 121), "new")
    assert slow is not None
    assert new is not None
    leases.give_back(services, slow, {"by": "slow"})
    assert take(at(services, 150), "third") is None
    leases.give_back(services, new, {"by": "new"})
    third = take(at(services, 150), "third")
    assert third is not None
    assert third.last_pass == {"by": "new"}


def test_of_many_that_try_at_once_one_gets_the_lease(services: Services) -> None:
    taken: list[leases.Held | None] = []
    start = threading.Barrier(8)

    def try_it(owner: str) -> None:
        start.wait()
        taken.append(take(services, owner))

    threads = [threading.Thread(target=try_it, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 8
    assert sum(held is not None for held in taken) == 1


def test_two_threads_of_a_worker_write_its_first_beat_at_once(
    services: Services, store: Store
) -> None:
    both, failed = threading.Barrier(2), []

    def beat() -> None:
        both.wait()
        try:
            heartbeat.beat(services, ME, WorkerState.RUNNING, 0)
        except Exception as error:
            failed.append(error)

    for _ in range(10):
        threads = [threading.Thread(target=beat) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.writing() as session:
            session.execute(delete(WorkerHeartbeat))
    assert failed == []


def test_a_beat_writes_one_row_a_worker_and_moves_it(store: Store, services: Services) -> None:
    heartbeat.beat(services, ME, WorkerState.RUNNING, 0)
    heartbeat.beat(at(services, 5), ME, WorkerState.RUNNING, 3)
    with store.reading() as session:
        rows = session.query(WorkerHeartbeat).all()
    assert [(row.seen_at, row.slots_used, row.task_queue) for row in rows] == [
        (NOW + timedelta(seconds=5), 3, "run-studio")
    ]


@pytest.mark.parametrize(
    ("state", "ago_s", "lives"),
    [
        (WorkerState.RUNNING, 0, True),
        (WorkerState.RUNNING, 20, True),
        (WorkerState.RUNNING, 21, False),
        (WorkerState.STOPPING, 0, False),
        (WorkerState.STOPPED, 0, False),
    ],
)
def test_a_worker_lives_while_it_beats_and_takes_work(
    store: Store, services: Services, state: WorkerState, ago_s: float, lives: bool
) -> None:
    heartbeat.beat(at(services, -ago_s), ME, state, 0)
    with store.reading() as session:
        assert heartbeat.a_worker_lives(session, NOW) is lives
        assert bool(heartbeat.living_workers(session, NOW)) is lives
        last = heartbeat.last_seen(session)
        assert last is not None
        assert last.identity == ME.identity


def test_where_no_worker_has_ever_been_none_lives(store: Store) -> None:
    with store.reading() as session:
        assert not heartbeat.a_worker_lives(session, NOW)
        assert heartbeat.last_seen(session) is None


def test_rows_of_workers_that_left_a_day_ago_are_deleted(store: Store, services: Services) -> None:
    heartbeat.beat(at(services, -25 * 3600), ME, WorkerState.STOPPED, 0)
    heartbeat.beat(services, replace(ME, identity="8@here-b"), WorkerState.RUNNING, 0)
    with store.writing() as session:
        heartbeat.forget_old(session, NOW)
    with store.reading() as session:
        assert [row.identity for row in session.query(WorkerHeartbeat)] == ["8@here-b"]
