"""What a drill does, decided by its seed before it begins: the same seed is the same plan.

Runs are launched in an order of their own, and faults strike in another; so many launches lie
between two faults. Only how long each takes is the machine's.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.drills import faults
from tests.drills.documents import LAUNCHED
from tests.drills.faults import Fault

LAUNCHES_A_FAULT: Final = 12
CANCELED_AMONG: Final = 12
"""One of so many runs is cancelled in the midst of whatever it does."""


class Length(StrEnum):
    SHORT = "short"
    """Each kind of fault once."""
    LONG = "long"
    """All of them, again and again while runs are launched."""


@dataclass(frozen=True)
class Launch:
    number: int
    key: str
    """Of the document."""
    cancel_after_s: float | None
    """Whatever it does then."""
    delay_s: float
    """Before its operator acts on it otherwise."""
    sends_twice: bool
    """The same event, once more."""
    untold: bool
    """Whoever sends the event dies before it could tell the run: the workers do."""


@dataclass(frozen=True)
class Plan:
    seed: int
    launches: tuple[Launch, ...]
    strikes: tuple[str, ...]
    """Names of faults, in order."""

    def before(self, strike: int) -> int:
        """How many launches must have begun before this fault strikes."""
        return len(self.launches) * strike // len(self.strikes)

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def text(self) -> str:
        keys = Counter(launch.key for launch in self.launches)
        lines = [
            f"seed {self.seed}, plan {self.digest}",
            f"{len(self.launches)} launches: "
            + ", ".join(f"{count} {key}" for key, count in sorted(keys.items())),
            f"{len(self.strikes)} faults:",
            *(f"  {self.before(n):5} {name}" for n, name in enumerate(self.strikes)),
        ]
        return "\n".join(lines)


def make_plan(seed: int, runs: int, length: Length) -> Plan:
    random_ = random.Random(seed)
    strikes = _short(random_) if length is Length.SHORT else _long(random_, runs)
    keys = [LAUNCHED[number % len(LAUNCHED)].key for number in range(runs)]
    random_.shuffle(keys)
    for number, fault in enumerate(strikes):
        if fault.needs:
            # The first launch after it meets it, if the run comes to where it stands.
            keys[runs * number // len(strikes)] = fault.needs
    launches = tuple(_launch(random_, number, key) for number, key in enumerate(keys))
    return Plan(seed, launches, tuple(fault.name for fault in strikes))


def _launch(random_: random.Random, number: int, key: str) -> Launch:
    cancels = random_.randrange(CANCELED_AMONG) == 0
    cancel_after_s = round(random_.uniform(0, 2.5), 2)
    return Launch(
        number,
        key,
        cancel_after_s if cancels or key == "canceled" else None,
        delay_s=round(random_.uniform(0, 1.5), 2),
        sends_twice=random_.random() < 0.3,
        untold=random_.random() < 0.3,
    )


def _short(random_: random.Random) -> list[Fault]:
    """Each kind once; of the activities, two; of the links, one of each kind of break."""
    chosen = [
        *faults.WEB[:2],
        *random_.sample(faults.WORKER[:16], 2),
        random_.choice([fault for fault in faults.WORKER if "effect" in fault.name]),
        *(
            random_.choice([fault for fault in faults.NETWORK if fault.name.endswith(kind)])
            for kind in ("cut", "silent", "half-open")
        ),
        *(faults.BY_NAME[name] for name in ("temporal killed", "postgres crashed")),
        random_.choice([fault for fault in faults.OTHERS if "clock" in fault.name]),
    ]
    random_.shuffle(chosen)
    return chosen


def _long(random_: random.Random, runs: int) -> list[Fault]:
    """Rounds of all of them, each in an order of its own; the first one is whole."""
    count = max(len(faults.ALL), runs // LAUNCHES_A_FAULT)
    chosen: list[Fault] = []
    while len(chosen) < count:
        this_round = list(faults.ALL)
        random_.shuffle(this_round)
        chosen += this_round
    return chosen[:count]
