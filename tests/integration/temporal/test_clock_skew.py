"""Workers whose clocks differ by minutes: every run ends as it should, and no effect is doubled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.services.reconcile_runs import reconcile
from tests.steps import act, chain, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_worker_and_a_reconciler_with_a_wrong_clock_double_and_lose_nothing(
    own_studio: Studio, minutes: int
) -> None:
    studio = own_studio

    def wrong() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=minutes)

    skewed = replace(studio.services, now=wrong)
    documents = [
        studio.publish(act("send", "once", ms=400), *chain(3, ms=50)),
        studio.publish(wait("pause", 500), act("after", "quick")),
    ]
    with studio.worker(), studio.worker(now=wrong):
        runs = [studio.start(documents[number % 2]) for number in range(8)]
        for _ in range(3):
            reconcile(skewed, "the wrong one")
            reconcile(studio.services, "the right one")
        ended = [studio.ended(run_id) for run_id in runs]
    assert {run.status for run in ended} == {"SUCCEEDED"}
    done = Counter(studio.effects())
    assert done["begin send"] == done["end send"] == done["end step-2"] == 4
    assert done["end after"] == 4
