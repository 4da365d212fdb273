"""A process whose clock is wrong: every clock of the product is moved, as an instruction says.

    DRILL_CLOCK_MINUTES=-10

For test builds alone. The workflows' own time is Temporal's and stays right, as it would.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final, Self

from tests.drills.fault_points import refuse_unless_test_build

CLOCK: Final = "DRILL_CLOCK_MINUTES"


def move(environment: Mapping[str, str]) -> None:
    """Every module of the product that is imported by now reads the wrong clock from here on."""
    refuse_unless_test_build(environment)
    wrong = _clock(timedelta(minutes=int(environment.get(CLOCK, "0"))))
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in {"engine", "worker"} and vars(module).get("datetime") is datetime:
            vars(module)["datetime"] = wrong


def _clock(by: timedelta) -> type[datetime]:
    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            moment: Self = datetime.now(tz) + by  # type: ignore[assignment]
            return moment

    return Wrong
