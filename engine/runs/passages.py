"""The ways of two runs side by side: where they are alike and where they first part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from engine.runs.status import StepStatus

LIMIT: Final = 1_000
"""Occurrences of each run that are compared, from its beginning."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One occurrence of a step, by its newest attempt."""

    key: str
    """The same for the same step at the same item in both runs, whatever their versions."""
    name: str
    kind: str | None
    path: str
    iter: tuple[int, ...]
    status: StepStatus
    handled: bool
    attempts: int
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    left: Passage | None
    right: Passage | None
    out_of_order: bool = False
    """Both runs have it, at different places in the order in which steps began."""

    @property
    def alike(self) -> bool:
        """The order of concurrent steps is chance: it alone makes no difference."""
        if self.left is None or self.right is None:
            return False
        return (self.left.status, self.left.handled) == (self.right.status, self.right.handled)

    @property
    def slower_ms(self) -> float | None:
        """How much longer the right one took; negative: less long."""
        if self.left is None or self.right is None:
            return None
        if self.left.duration_ms is None or self.right.duration_ms is None:
            return None
        return self.right.duration_ms - self.left.duration_ms


@dataclass(frozen=True, slots=True)
class Passages:
    pairs: tuple[Pair, ...] = ()
    cut: bool = False
    """One of the runs has more than `LIMIT` occurrences."""

    @property
    def parting(self) -> int | None:
        """Index of the first pair that is not alike."""
        return next((n for n, pair in enumerate(self.pairs) if not pair.alike), None)


def side_by_side(
    left: Sequence[Passage], right: Sequence[Passage], *, limit: int = LIMIT
) -> Passages:
    """At most `limit` of each are looked at; what only the cut makes look missing is left out."""
    cut = len(left) > limit or len(right) > limit
    pairs = _pairs(left[:limit], right[:limit])
    if cut:
        # One run may have later what the other has here.
        while pairs and (pairs[-1].left is None or pairs[-1].right is None):
            pairs.pop()
    return Passages(tuple(pairs), cut)


def _pairs(left: Sequence[Passage], right: Sequence[Passage]) -> list[Pair]:
    ours, theirs = [one.key for one in left], [one.key for one in right]
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    elsewhere = {one.key: one for one in right}
    matched: set[str] = set()
    for start, _, size in matcher.get_matching_blocks():
        matched.update(ours[start : start + size])
    both = (set(ours) & set(theirs)) - matched
    pairs: list[Pair] = []
    for word, a, b, c, d in matcher.get_opcodes():
        if word == "equal":
            pairs += map(Pair, left[a:b], right[c:d])
            continue
        for one in left[a:b]:
            moved = one.key in both
            pairs.append(Pair(one, elsewhere[one.key] if moved else None, out_of_order=moved))
        pairs += [Pair(None, one) for one in right[c:d] if one.key not in both]
    return pairs
