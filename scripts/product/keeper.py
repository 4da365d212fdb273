"""Keeps the children running: starts again what died, with growing pauses, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scripts.product.child import Child
from scripts.product.terminal import Stop, say

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 30.0
"""Who ran for so long begins again with the first pause."""
TICK_S = 0.1


@dataclass(slots=True)
class Kept:
    start: Callable[[], Child]
    child: Child
    deaths: int = 0
    again_at: float | None = None


@dataclass(slots=True)
class Keeper:
    """Ends all at once, but for those that the others need until they are gone."""

    stop: Stop
    grace_s: Mapping[str, float]
    changed: Callable[[Mapping[str, int]], None]
    """Told the pids whenever they change."""
    needed_by_all: str = "temporal"
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _kept: dict[str, Kept] = field(default_factory=dict)

    def start(self, start: Callable[[], Child]) -> Child:
        child = start()
        self._kept[child.name] = Kept(start, child)
        self._tell()
        return child

    def dead(self) -> list[Child]:
        return [kept.child for kept in self._kept.values() if kept.child.ended() is not None]

    def keep(self) -> None:
        """Until a signal asks to stop."""
        while not self.stop:
            for kept in self._kept.values():
                self._look_after(kept)
            self.sleep(TICK_S)

    def _look_after(self, kept: Kept) -> None:
        if kept.again_at is None:
            code = kept.child.ended()
            if code is None:
                return
            if self.clock() - kept.child.started > STEADY_S:
                kept.deaths = 0
            pause = min(FIRST_PAUSE_S * 2**kept.deaths, LONGEST_PAUSE_S)
            kept.deaths += 1
            kept.again_at = self.clock() + pause
            kept.child.drain()
            say(f"the {kept.child.name} ended ({_how(code)}); starting it again in {pause:.0f} s")
        if self.clock() >= kept.again_at:
            kept.again_at = None
            kept.child.kill()  # what is left of its group
            kept.child = kept.start()
            kept.child.quiet = False
            self._tell()
            say(f"the {kept.child.name} is started again")

    def unmute(self) -> None:
        """From now on what they say is for the terminal."""
        for kept in self._kept.values():
            kept.child.quiet = False

    def end(self) -> None:
        """All of them. A second Ctrl-C, or the end of the grace, kills."""
        asked = self.stop.asked
        children = [kept.child for kept in self._kept.values()]
        self._end([child for child in children if child.name != self.needed_by_all], asked)
        self._end([child for child in children if child.name == self.needed_by_all], asked)
        self._kept.clear()

    def _end(self, children: list[Child], asked: int) -> None:
        began = self.clock()
        for child in children:
            child.ask_to_end()
        for child in children:
            until = began + self.grace_s.get(child.name, 5.0)
            while child.ended() is None and self.clock() < until and self.stop.asked == asked:
                self.sleep(TICK_S / 4)
            if child.ended() is None:
                say(f"the {child.name} did not end by itself; it is killed")
            child.kill()

    def _tell(self) -> None:
        self.changed({name: kept.child.pid for name, kept in self._kept.items()})


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
