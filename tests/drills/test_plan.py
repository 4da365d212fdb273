"""What a drill does is decided by its seed, and named in what it prints."""

from __future__ import annotations

from tests.drills import faults
from tests.drills.documents import LAUNCHED
from tests.drills.plan import Length, make_plan
from tests.drills.worker_process import ACTIVITIES


def test_the_same_seed_is_the_same_plan_and_another_is_another() -> None:
    for length in Length:
        one, again, other = (make_plan(seed, 200, length) for seed in (7, 7, 8))
        assert one == again
        assert one.digest == again.digest != other.digest
        assert one.text() == again.text()


def test_a_long_plan_has_every_fault_and_every_document() -> None:
    plan = make_plan(1, 1000, Length.LONG)
    assert len(plan.launches) == 1000
    assert set(plan.strikes) == {fault.name for fault in faults.ALL}
    assert {launch.key for launch in plan.launches} == {shape.key for shape in LAUNCHED}


def test_workers_are_killed_around_every_activity() -> None:
    named = "\n".join(fault.name for fault in faults.ALL)
    for activity in ACTIVITIES:
        assert f"killed at {activity}:before" in named
        assert f"killed at {activity}:after" in named


def test_every_link_is_broken_in_every_way() -> None:
    names = {fault.name for fault in faults.NETWORK}
    ends = [(a, b) for a in ("web", "worker") for b in ("db", "temporal")]
    ways = ("cut", "silent", "half-open")
    assert names == {f"{a}-{b} {way}" for a, b in ends for way in ways}
