"""What is broken in a drill, in an order that its seed decides."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.drills.house import House
from tests.drills.worker_process import ACTIVITIES

CUT_S: Final = 3.0


@dataclass(frozen=True)
class Fault:
    name: str
    strike: Callable[[House], None]


def _web(point: str) -> Fault:
    def strike(house: House) -> None:
        """The next launch meets it; `replace_dead` brings another."""
        if house.web is not None:
            house.web.kill()
            house.web.join()
        house.start_web(point)
        house.wait_for_web()

    return Fault(f"web {point}", strike)


def _worker(point: str) -> Fault:
    def strike(house: House) -> None:
        """One worker is killed where it stands, and the next where the fault says."""
        if house.workers:
            leaving = house.workers.pop(0)
            leaving.kill()
            leaving.join()
        house.start_worker(point)

    return Fault(f"worker {point}", strike)


def _cut(name: str, which: str) -> Fault:
    def strike(house: House) -> None:
        proxy = getattr(house, which)
        proxy.cut()
        time.sleep(CUT_S)
        proxy.mend()

    return Fault(name, strike)


WEB: Final = [_web("start_run:before:1"), _web("start_run:after:1")]
WORKER: Final = [
    _worker(f"{activity}:{when}:2") for activity in ACTIVITIES for when in ("before", "after")
]
OTHERS: Final = [
    Fault("temporal restarts", House.restart_temporal),
    Fault("postgres restarts", House.restart_postgres),
    _cut("network to temporal cut", "network"),
    _cut("network to postgres cut", "database"),
]


def short(random_: random.Random) -> list[Fault]:
    """Each kind once; of the activities, two."""
    chosen = [*WEB, *random_.sample(WORKER, 2), *OTHERS]
    random_.shuffle(chosen)
    return chosen


def long(random_: random.Random) -> list[Fault]:
    """Every one, in an order of its own; repeated by the caller while runs are launched."""
    chosen = [*WEB, *WORKER, *OTHERS]
    random_.shuffle(chosen)
    return chosen
