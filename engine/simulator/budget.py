"""What a simulation may use up: it must end, and soon, whatever the document does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_STEPS: Final = 5_000
MAX_ITERATIONS: Final = 1_000
MAX_EVALUATIONS: Final = 2_000_000
MAX_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Budget:
    steps: int = 500
    """Occurrences and attempts."""
    iterations: int = 100
    """Items of one loop."""
    evaluations: int = 200_000
    """Of expressions, and of what weighs as much (docs/rules.md 10)."""
    seconds: float = 5.0
    """Of real time."""


class BudgetSpent(BaseException):
    """Ends the simulation. No handler of the document may take it."""

    def __init__(self, what: str, limit: float) -> None:
        super().__init__(f"The simulation was ended: more than {limit:,g} {what}.")
        self.code = f"BUDGET_{what.upper()}"


class Meter:
    """Counts against a budget. `clock`: seconds, of whatever origin."""

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self._budget = budget
        self._clock = clock
        self._began = clock()
        self.evaluations = 0

    def step(self, number: int, iter: tuple[int, ...]) -> None:
        """Raises `BudgetSpent`, as all of these do."""
        if number > self._budget.steps:
            raise BudgetSpent("steps", self._budget.steps)
        if max(iter, default=0) >= self._budget.iterations:
            raise BudgetSpent("iterations", self._budget.iterations)
        self._time()

    def evaluated(self, evaluations: int) -> None:
        self.evaluations += evaluations
        if self.evaluations > self._budget.evaluations:
            raise BudgetSpent("evaluations", self._budget.evaluations)
        self._time()

    def _time(self) -> None:
        if self._clock() - self._began > self._budget.seconds:
            raise BudgetSpent("seconds", self._budget.seconds)
