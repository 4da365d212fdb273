"""Where a process kills itself, as one instruction of its environment says: for drills alone.

    DRILL_FAULT="<point>:<before|after>:<n>"     kill -9 at the n-th passing of the point

`before`: the work of the point has not begun. `after`: it is done and committed, and its answer is
lost. Refuses where the process is no test build; nothing of the product imports it.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

TEST_BUILD: Final = "RUN_STUDIO_TEST_BUILD"
FAULT: Final = "DRILL_FAULT"
NO_FAULT: Final = "::0"

Call = Callable[..., Any]


class NoTestBuild(RuntimeError):
    """Fault points are not for a product that somebody uses."""


def refuse_unless_test_build(environment: Mapping[str, str]) -> None:
    """Raises `NoTestBuild`."""
    if environment.get(TEST_BUILD) != "1":
        raise NoTestBuild(f"{TEST_BUILD} is not 1")


def armed(point: str, call: Call, environment: Mapping[str, str]) -> Call:
    """`call`, or a `call` that kills its process when its turn has come."""
    refuse_unless_test_build(environment)
    name, when, turn = environment.get(FAULT, NO_FAULT).split(":")
    if name != point:
        return call
    passing = itertools.count(1)

    def faulty(*args: Any, **kwargs: Any) -> Any:
        now = next(passing) == int(turn)
        if now and when == "before":
            _die()
        answer = call(*args, **kwargs)
        if now:
            _die()
        return answer

    return faulty


def arm(points: Mapping[str, tuple[Any, str]], environment: Mapping[str, str]) -> None:
    """Put the points around what these names stand for, each in its module or class."""
    for point, (owner, name) in points.items():
        setattr(owner, name, armed(point, getattr(owner, name), environment))


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives")
