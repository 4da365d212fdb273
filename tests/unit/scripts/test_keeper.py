"""The supervisor: dead parts are started again with growing pauses, and all end in order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from scripts.product import keeper
from scripts.product.keeper import Keeper
from scripts.product.terminal import Stop


@dataclass
class Time:
    now: float = 1000.0
    at_each_tick: object = None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeChild:
    name: str
    pid: int
    started: float
    log: list[str]
    code: int | None = None
    obeys: bool = True
    quiet: bool = True
    said: list[str] = field(default_factory=list)

    def ended(self) -> int | None:
        return self.code

    def ask_to_end(self) -> None:
        self.log.append(f"ask {self.name}")
        if self.obeys:
            self.code = 0

    def kill(self) -> None:
        self.log.append(f"kill {self.name}")
        self.code = -9 if self.code is None else self.code

    def drain(self) -> None: ...


class Bench:
    """A keeper whose time runs by its sleeping, and whose children are told when to die."""

    def __init__(self) -> None:
        self.time = Time()
        self.stop = Stop()
        self.log: list[str] = []
        self.made: list[FakeChild] = []
        self.pids: Mapping[str, int] = {}
        self.keeper = Keeper(
            stop=self.stop,
            grace_s={"worker": 2.0},
            changed=self._changed,
            clock=self.time,
            sleep=self._sleep,
        )
        self.dies_at: list[float] = []
        self.stops_at = float("inf")

    def start(self, name: str, **fields: bool) -> FakeChild:
        def make() -> FakeChild:
            child = FakeChild(name, len(self.made) + 1, self.time.now, self.log, **fields)
            self.made.append(child)
            return child

        self.keeper.start(make)
        return self.made[-1]

    def _changed(self, pids: Mapping[str, int]) -> None:
        self.pids = dict(pids)

    def _sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)
        if self.dies_at and self.time.now >= self.dies_at[0]:
            self.dies_at.pop(0)
            self.made[-1].code = 1
        if self.time.now >= self.stops_at:
            self.stop.asked = 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_dead_part_is_started_again_after_a_pause(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.start("worker")
    bench.dies_at, bench.stops_at = [1010.0], 1020.0
    bench.keeper.keep()
    assert len(bench.made) == 2
    assert bench.made[1].started == pytest.approx(1010 + keeper.FIRST_PAUSE_S, abs=0.3)
    told = capsys.readouterr().out
    assert "the worker ended (exit code 1); starting it again in 1 s" in told
    assert "the worker is started again" in told


def test_what_a_restarted_part_says_is_told(bench: Bench) -> None:
    bench.start("worker")
    bench.keeper.unmute()
    bench.dies_at, bench.stops_at = [1010.0], 1020.0
    bench.keeper.keep()
    assert [child.quiet for child in bench.made] == [False, False]


def test_pauses_double_up_to_the_longest(bench: Bench) -> None:
    class Always(FakeChild):
        def ended(self) -> int | None:
            return 1

    starts: list[float] = []

    def make() -> FakeChild:
        starts.append(bench.time.now)
        return Always("worker", 1, bench.time.now, bench.log)

    bench.keeper.start(make)
    bench.stops_at = 1000 + 200
    bench.keeper.keep()
    pauses = [round(after - before) for before, after in itertools.pairwise(starts)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 30]
    assert set(pauses[6:]) <= {30}


def test_who_ran_steadily_begins_again_with_the_first_pause(bench: Bench) -> None:
    bench.start("worker")
    bench.dies_at = [1001.0, 1003.0, 1100.0]
    bench.stops_at = 1110.0
    bench.keeper.keep()
    assert len(bench.made) == 4
    assert bench.made[3].started == pytest.approx(1100 + keeper.FIRST_PAUSE_S, abs=0.3)


def test_what_is_left_of_a_dead_group_is_killed_before_the_new_one(bench: Bench) -> None:
    bench.start("web")
    bench.dies_at, bench.stops_at = [1005.0], 1010.0
    bench.keeper.keep()
    assert bench.log == ["kill web"]


def test_the_pids_are_told_at_each_change(bench: Bench) -> None:
    bench.start("temporal")
    bench.start("worker")
    assert bench.pids == {"temporal": 1, "worker": 2}
    bench.dies_at, bench.stops_at = [1005.0], 1010.0
    bench.keeper.keep()
    assert bench.pids == {"temporal": 1, "worker": 3}


def test_all_end_at_once_but_temporal_comes_last(bench: Bench) -> None:
    for name in ["temporal", "web", "worker"]:
        bench.start(name)
    bench.keeper.end()
    assert bench.log == [
        "ask web",
        "ask worker",
        "kill web",
        "kill worker",
        "ask temporal",
        "kill temporal",
    ]


def test_who_does_not_end_is_killed_after_the_grace(bench: Bench) -> None:
    bench.start("worker", obeys=False)
    bench.keeper.end()
    assert bench.log == ["ask worker", "kill worker"]
    assert 1002.0 <= bench.time.now < 1003.0


def test_a_second_ctrl_c_does_not_wait_for_the_grace(bench: Bench) -> None:
    bench.stop.asked = 1
    bench.start("worker", obeys=False)
    waited = bench.keeper.sleep

    def pressed_again(seconds: float) -> None:
        waited(seconds)
        bench.stop.asked = 2

    bench.keeper.sleep = pressed_again
    bench.keeper.end()
    assert bench.time.now < 1000.5
