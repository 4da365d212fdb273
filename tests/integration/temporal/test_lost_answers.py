"""An activity that wrote and whose answer was lost is made again, and nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine.activities import make
from engine.services.open_runs import open_runs
from tests.integration.temporal.children import children, key
from tests.steps import act, assign, call, chain, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal

ACTIVITIES = ("claim_run", "perform_action", "record_progress", "open_wait", "launch_child",
              "finish_run")  # fmt: skip


def losing(service: Callable[..., Any], lost: list[str], name: str) -> Callable[..., Any]:
    """The service, whose first answer nobody hears."""

    def called(*args: Any, **kwargs: Any) -> Any:
        answer = service(*args, **kwargs)
        if name not in lost:
            lost.append(name)
            raise RuntimeError("the answer is lost")
        return answer

    return called


def test_every_projection_may_be_made_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Projection retry idempotency, of each activity in turn, a call of another workflow too."""
    child = key(studio.publish(assign("sum", total="1")))
    lost: list[str] = []
    for name in ACTIVITIES:
        monkeypatch.setattr(make, name, losing(getattr(make, name), lost, name))
    many = [assign(f"a{number}", n=str(number)) for number in range(230)]
    of = studio.publish(*chain(3), act("do"), *many, wait("pause", 20), call("sub", child))
    with studio.worker():
        run = studio.ended(studio.start(of), 60)

    assert run.status == "SUCCEEDED", run.error_json
    assert sorted(lost) == sorted(ACTIVITIES)
    outline = studio.outline(run.run_id)
    assert len(outline) == len(set(outline)) == 3 + 1 + 230 + 2
    assert [step.position for step in studio.steps(run.run_id)] == list(range(1, 237))
    assert not [step for step in studio.steps(run.run_id) if step.superseded]
    assert len(children(studio, run.run_id)) == len(studio.waits(run.run_id)) == 1
    assert studio.effects().count("end do") == 1
    with studio.store.reading() as session:
        now = studio.services.now()
        still = [one.run_id for one in open_runs(session, now, older_than=timedelta())]
    assert run.run_id not in still
