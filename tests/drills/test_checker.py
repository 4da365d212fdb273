"""The checker finds what a drill is to find: without that, its silence would mean nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.drills import checker
from tests.drills.checker import Looked
from tests.drills.documents import SHAPES

ONCE = next(shape for shape in SHAPES if shape.key == "send-once")
GOOD = Looked("an-id", "run-1", ONCE, "SUCCEEDED", {}, "COMPLETED")
UNKNOWN = {"category": "OutcomeUnknown"}
LAUNCH = {"stage": "launch"}


@pytest.mark.parametrize(
    ("run", "accepted", "words"),
    [
        (GOOD, True, ""),
        (replace(GOOD, temporal="CANCELED"), True, "CANCELED in Temporal"),
        (replace(GOOD, temporal=None), True, "does not know it"),
        (replace(GOOD, status="FAILED", temporal="FAILED", error=UNKNOWN), True, ""),
        (replace(GOOD, status="FAILED", temporal="FAILED"), True, "FAILED: {}"),
        (replace(GOOD, status="FAILED", temporal=None, error=LAUNCH), False, ""),
        (replace(GOOD, status="FAILED", error=LAUNCH), True, "FAILED: "),
    ],
)
def test_an_ending_is_right_or_told(run: Looked, accepted: bool, words: str) -> None:
    faults = checker._ending(run, accepted)
    assert (words in " ".join(faults)) if words else faults == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({("once", "send", "key"): 1}, ""),
        ({("once", "send", "key"): 2}, "took effect 2 times"),
        ({("once", "send", "key"): 1, ("once", "send", "other"): 1}, "doubled"),
        ({}, "never took effect"),
    ],
)
def test_effects_are_counted(seen: dict[tuple[str, str, str], int], words: str) -> None:
    faults = checker._effects(GOOD, Counter(seen))
    assert (words in " ".join(faults)) if words else faults == []


@pytest.mark.parametrize(("counted", "good"), [(2, True), (3, False), (1, False)])
def test_what_our_own_database_counted_is_exact(counted: int, good: bool) -> None:
    assert (checker._counted(GOOD, counted) == []) is good
