"""Launches and faults take turns, as the plan says, on whichever threads they are."""

from __future__ import annotations

import threading

from tests.drills.plan import Launch, Plan


class Turns:
    """Lets launches and faults take turns."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._next = self._struck = 0
        self._changed = threading.Condition()

    def next(self) -> Launch | None:
        """The next launch, when its turn has come; None: there is none left."""
        with self._changed:
            number = self._next
            if number >= len(self._plan.launches):
                return None
            self._next += 1
            self._changed.wait_for(lambda: number < self._allowed())
            return self._plan.launches[number]

    def struck(self) -> None:
        with self._changed:
            self._struck += 1
            self._changed.notify_all()

    def ready_for(self, strike: int) -> bool:
        """Have the launches begun that come before it? Some of them may wait for it."""
        with self._changed:
            return self._next >= self._plan.before(strike)

    def _allowed(self) -> int:
        """Up to the fault after the next one: launches are under way when a fault strikes."""
        ahead = self._struck + 2
        if ahead >= len(self._plan.strikes):
            return len(self._plan.launches)
        return self._plan.before(ahead)
