"""What is broken in a drill: each fault by its name, with what it does and undoes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.services.context import Actor
from engine.services.step_quota import set_quota, show_quota
from tests import builders
from tests.drills.fault_points import NO_FAULT
from tests.drills.house import House, Ours
from tests.drills.worker_process import ACTIVITIES

CUT_S: Final = 3.0
SILENT_S: Final = 6.0
FROZEN_S: Final = 17.0
"""Longer than a heartbeat's and a lease's time: others take over, and then it wakes up."""
MET_WITHIN_S: Final = 8.0
QUOTA_S: Final = 4.0
_ENOUGH: Final = 10**9


@dataclass(frozen=True)
class Fault:
    name: str
    strike: Callable[[House], None]
    """Returns when it is over: nothing of it is left but what it has done."""
    needs: str = ""
    """The key of a document whose runs come to it."""


def _web(point: str) -> Fault:
    def strike(house: House) -> None:
        """The next request of its kind meets it; `replace_dead` brings another."""
        house.kill_web()
        house.start_web(point)
        house.wait_for_web()

    return Fault(f"web killed at {point}", strike)


def _worker(point: str, needs: str = "") -> Fault:
    def strike(house: House) -> None:
        """One worker is killed where it stands, and the next where the fault says."""
        house.kill_worker()
        house.start_worker(point)

    return Fault(f"worker killed at {point}", strike, needs)


def _all_workers(point: str, needs: str = "") -> Fault:
    """What only one worker does at a time: whichever it is."""

    def strike(house: House) -> None:
        count = len(house.workers)
        for _ in range(count):
            house.kill_worker()
        _until_met(house, [house.start_worker(point) for _ in range(count)])

    return Fault(f"worker killed at {point}", strike, needs)


def _until_met(house: House, armed: list[Ours]) -> None:
    until = time.monotonic() + MET_WITHIN_S
    while time.monotonic() < until and all(ours.process.is_alive() for ours in armed):
        time.sleep(0.1)
    house.replace_dead()


def _admission(point: str) -> Fault:
    """Steps are admitted only where a quota is configured."""

    def strike(house: House) -> None:
        _limit(house, _ENOUGH)
        house.kill_worker()
        _until_met(house, [house.start_worker(point)])
        _limit(house, None)

    return Fault(f"worker killed at {point}", strike, "by-hand")


def _cut(link: str) -> Fault:
    def strike(house: House) -> None:
        house.links[link].cut()
        time.sleep(CUT_S)
        house.links[link].mend()

    return Fault(f"{link} cut", strike)


def _silent(link: str, *, lost: bool) -> Fault:
    def strike(house: House) -> None:
        house.links[link].silence()
        time.sleep(SILENT_S)
        house.links[link].mend(lost=lost)

    return Fault(f"{link} {'half-open' if lost else 'silent'}", strike)


def _clock(minutes: int) -> Fault:
    def strike(house: House) -> None:
        """It stays until another fault takes this worker."""
        house.kill_worker()
        house.start_worker(NO_FAULT, minutes)

    return Fault(f"worker's clock {minutes:+} min", strike)


def _freeze(house: House) -> None:
    """It does not know that time has gone by, and goes on with what is not its own any more."""
    frozen = house.workers[0].process.pid
    if frozen is not None and house.workers[0].process.is_alive():
        os.kill(frozen, signal.SIGSTOP)
        time.sleep(FROZEN_S)
        os.kill(frozen, signal.SIGCONT)


def _leave(house: House) -> None:
    """As a deployment does it."""
    leaving = house.workers.pop(0)
    house.start_worker()
    leaving.process.terminate()
    leaving.process.join(20)
    leaving.end()


def _use_up_quota(house: House) -> None:
    used = show_quota(builders.services(house.store)).used
    _limit(house, used + 5)
    time.sleep(QUOTA_S)
    _limit(house, None)


def _limit(house: House, attempts: int | None) -> None:
    set_quota(builders.services(house.store), attempts, Actor(source="command"))


_SIDES: Final = ("before", "after")
_NEEDS: Final = {
    "open_wait": "waiting",
    "launch_child": "calls",
    "fetch_value": "large",
    "store_checkpoint": "goes-on-as-new",
}
_LINKS: Final = ("web-db", "web-temporal", "worker-db", "worker-temporal")

WEB: Final = [
    *(_web(f"start_run:{side}:1") for side in _SIDES),
    *(_web(f"cancel_run:{side}:1") for side in _SIDES),
    *(_web(f"update_run:{side}:1") for side in _SIDES),
    *(_web(f"commit:{side}:2") for side in _SIDES),
]
WORKER: Final = [
    *(
        _worker(f"{activity}:{side}:{2 if activity not in _NEEDS else 1}", _NEEDS.get(activity, ""))
        for activity in ACTIVITIES
        if activity != "admit_step"
        for side in _SIDES
    ),
    *(_worker(f"effect:{side}:{turn}", "send-once") for side in _SIDES for turn in (1, 3)),
    *(_worker(f"commit:{side}:{turn}") for side in _SIDES for turn in (5, 17)),
    *(_admission(f"admit_step:{side}:1") for side in _SIDES),
    *(_all_workers(f"reconciler:{side}:1") for side in _SIDES),
    *(_all_workers(f"delivery:{side}:1", "by-event") for side in _SIDES),
    *(_all_workers(f"signal:{side}:1", "by-event") for side in _SIDES),
    *(_all_workers(f"bulk item:{side}:2", "parked") for side in _SIDES),
    *(_all_workers(f"schedule:{side}:1") for side in _SIDES),
]
NETWORK: Final = [
    *(_cut(link) for link in _LINKS),
    *(_silent(link, lost=False) for link in _LINKS),
    *(_silent(link, lost=True) for link in _LINKS),
]
OTHERS: Final = [
    Fault("temporal killed", House.restart_temporal),
    Fault("postgres restarted", lambda house: house.postgres.restart()),
    Fault("postgres crashed", lambda house: house.postgres.crash()),
    Fault("worker frozen", _freeze),
    Fault("worker leaves", _leave),
    Fault("quota used up", _use_up_quota, "by-event"),
    _clock(-10),
    _clock(+10),
]
ALL: Final = [*WEB, *WORKER, *NETWORK, *OTHERS]
BY_NAME: Final = {fault.name: fault for fault in ALL}
