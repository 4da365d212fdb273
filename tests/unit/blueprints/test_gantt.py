"""Steps against time: what is drawn where, and what is drawn short."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from blueprints.runs.gantt import IDLE_WIDTH, NARROWEST, WIDTH, gantt
from engine.runs.status import StepStatus
from engine.services.run_views import OccurrenceView, StepView
from tests.builders import NOW


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def attempt(start: float, end: float | None, **fields: Any) -> StepView:
    defaults: dict[str, Any] = {
        "step_id": "s", "path": "root.steps[0]", "iter": (), "kind": "action.call", "name": None,
        "action": None, "status": StepStatus.SUCCEEDED, "attempt": 1, "position": 1,
        "started_at": at(start), "completed_at": None if end is None else at(end),
        "duration_ms": None, "next_retry_at": None, "handled": False, "superseded": False,
        "input": None, "output": None, "error": None,
    }  # fmt: skip
    return StepView(**defaults | fields)


def test_nothing_gives_no_picture() -> None:
    assert gantt([], NOW) is None


def test_bars_stand_where_their_time_is() -> None:
    picture = gantt(
        [
            OccurrenceView("a", (attempt(0, 10),)),
            OccurrenceView("b", (attempt(10, 15),)),
            OccurrenceView("c", (attempt(15, None),)),
        ],
        at(20),
    )
    assert picture is not None
    assert [(bar.x, bar.width) for row in picture.rows for bar in row.bars] == [
        (0, 500), (500, 250), (750, 250)
    ]  # fmt: skip
    assert (picture.begins, picture.ends, picture.idle) == (at(0), at(20), ())


@pytest.mark.parametrize("kind", ["time.wait", "human.task", "event.wait", None])
def test_a_long_pause_is_drawn_short_and_says_how_long_it_was(kind: str | None) -> None:
    pause = [OccurrenceView("w", (attempt(10, 10_010, kind=kind),))] if kind else []
    picture = gantt(
        [OccurrenceView("a", (attempt(0, 10),)), *pause,
         OccurrenceView("b", (attempt(10_010, 10_020),))], at(10_020),
    )  # fmt: skip
    assert picture is not None
    (idle,) = picture.idle
    assert idle.lasted == timedelta(seconds=10_000)
    assert idle.width == IDLE_WIDTH
    first, last = picture.rows[0].bars[0], picture.rows[-1].bars[0]
    assert first.width == pytest.approx(last.width) == pytest.approx((WIDTH - IDLE_WIDTH) / 2)
    assert last.x + last.width == pytest.approx(WIDTH)


def test_a_wait_alone_has_the_whole_width() -> None:
    picture = gantt([OccurrenceView("w", (attempt(0, None, kind="human.task"),))], at(3600))
    assert picture is not None
    assert picture.idle == ()
    assert picture.rows[0].bars[0].width == WIDTH


def test_attempts_are_bars_of_one_row_and_the_next_one_is_shown() -> None:
    first = attempt(0, 4, status=StepStatus.RETRY_SCHEDULED, next_retry_at=at(4.5))
    second = attempt(4.5, 5, attempt=2, status=StepStatus.FAILED)
    picture = gantt([OccurrenceView("a", (first, second))], at(5))
    assert picture is not None
    assert [bar.status for bar in picture.rows[0].bars] == ["retry_scheduled", "backoff", "failed"]
    assert picture.rows[0].bars[-1].says == "FAILED, attempt 2"


def test_every_bar_can_be_seen_and_stays_inside() -> None:
    moments = [OccurrenceView(str(n), (attempt(n, n),)) for n in range(3)]
    for found in (moments, moments[:1]):
        picture = gantt(found, at(3))
        assert picture is not None
        for row in picture.rows:
            assert row.bars[0].width >= NARROWEST
            assert 0 <= row.bars[0].x <= WIDTH - row.bars[0].width


def test_a_run_that_goes_on_is_drawn_up_to_now_while_a_step_waits_for_its_next_attempt() -> None:
    status = StepStatus.RETRY_SCHEDULED
    tried = OccurrenceView("a", (attempt(0, 5, status=status, next_retry_at=at(60)),))
    picture = gantt([tried], at(10), goes_on=True)
    assert picture is not None
    assert picture.ends == at(10)
    assert [bar.status for bar in picture.rows[0].bars] == ["retry_scheduled", "backoff"]
    over = gantt([tried], at(10))
    assert over is not None
    assert over.ends == at(5)
