"""A worker that is killed: what may be repeated is, what must not be says so (authoring.md)."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.steps import act, chain
from tests.studio import Studio

pytestmark = pytest.mark.temporal

FOUND_LOST_S = 60
"""A worker counts as lost 15 s after its last beat; then the call's lease must have run out."""


def test_after_a_kill_9_what_may_be_repeated_is_and_the_rest_has_an_unknown_outcome(
    own_studio: Studio,
) -> None:
    """Four runs at once, as being found lost takes a while."""
    studio = own_studio
    consent = act("consented", ms=5_000) | {"retry": {"maxAttempts": 2, "backoffMs": 10}}
    with studio.worker_process() as doomed:
        once = studio.start(studio.publish(act("once", ms=5_000), act("never")))
        again = studio.start(studio.publish(act("again", "again", ms=5_000), act("after")))
        consented = studio.start(studio.publish(consent))
        quick = studio.start(studio.publish(*chain(12, ms=250)))
        begun = {"begin once", "begin again", "begin consented", "begin step-5"}
        studio.eventually(lambda: begun <= set(studio.effects()))
        doomed.kill()
        doomed.wait()
    with studio.worker_process():
        runs = {run_id: studio.ended(run_id, FOUND_LOST_S) for run_id in (again, consented, quick)}
        lost = studio.ended(once, FOUND_LOST_S)
    done = Counter(studio.effects())

    assert lost.status == "FAILED"
    assert (lost.error_json or {}).get("category") == "OutcomeUnknown"
    assert studio.outline(once) == [("once", 1, "FAILED")]
    assert (studio.steps(once)[0].error_json or {}).get("category") == "OutcomeUnknown"
    assert (done["begin once"], done["begin never"]) == (1, 0)
    assert studio.temporal_status(once) == "FAILED"

    assert {run.status for run in runs.values()} == {"SUCCEEDED"}
    assert studio.outline(again) == [("again", 1, "SUCCEEDED"), ("after", 1, "SUCCEEDED")]
    assert (done["begin again"], done["end again"], done["begin after"]) == (2, 1, 1)
    assert studio.outline(consented) == [("consented", 1, "SUCCEEDED")]
    assert (done["begin consented"], done["end consented"]) == (2, 1)

    assert studio.outline(quick) == [(f"step-{n}", 1, "SUCCEEDED") for n in range(12)]
    assert not [row for row in studio.steps(quick) if row.superseded]
    assert {done[f"end step-{n}"] for n in range(12) if n != 5} == {1}, "recorded and done again"
