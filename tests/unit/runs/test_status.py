"""The one table of transitions, over every pair."""

from __future__ import annotations

from itertools import product

import pytest

from engine.runs.status import OPEN, TERMINAL, RunStatus, may_become, sources

ALLOWED = {
    (RunStatus.RUNNING, RunStatus.WAITING),
    (RunStatus.WAITING, RunStatus.RUNNING),
    *product(
        (RunStatus.RUNNING, RunStatus.WAITING),
        (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELED),
    ),
}


@pytest.mark.parametrize(("before", "after"), list(product(RunStatus, RunStatus)))
def test_each_pair_is_allowed_or_not_as_written_down(before: RunStatus, after: RunStatus) -> None:
    assert may_become(before, after) is ((before, after) in ALLOWED)
    assert (before in sources(after)) is ((before, after) in ALLOWED)


def test_terminal_is_final_and_every_other_status_has_a_way_out() -> None:
    assert {s.value for s in TERMINAL} == {"SUCCEEDED", "FAILED", "CANCELED"}
    for status in OPEN:
        assert may_become(status, RunStatus.CANCELED)
