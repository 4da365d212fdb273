"""Where steps are drawn: nothing lies on anything else, every step once, in its order."""

from __future__ import annotations

import itertools
import time
from typing import Any

from hypothesis import given

from engine.definitions.drawing.layout import lay_out
from engine.definitions.drawing.shapes import Area, Drawing, Line, Mark, Role
from engine.definitions.drawing.steps import steps_to_draw
from engine.definitions.walk import steps_of
from tests.unit.drawing.documents import (
    ANY_DOCUMENT,
    action,
    branch,
    document,
    guarded,
    loop,
    stop,
)


def draw(of: dict[str, Any]) -> Drawing:
    return lay_out(steps_to_draw(of))


def _segments(line: Line) -> list[Area]:
    """Each straight part of a line as a thin area, a little shorter than it is."""
    return [
        Area(min(x, u) + 0.1, min(y, v) + 0.1, max(abs(u - x) - 0.2, 0), max(abs(v - y) - 0.2, 0))
        for (x, y), (u, v) in itertools.pairwise(line.points)
    ]


@given(ANY_DOCUMENT)
def test_every_step_is_drawn_once_in_the_order_in_which_it_is_written(of: dict[str, Any]) -> None:
    assert [box.step.path for box in draw(of).boxes] == [step.path for step in steps_of(of)]


@given(ANY_DOCUMENT)
def test_no_two_steps_overlap_and_all_are_on_the_sheet(of: dict[str, Any]) -> None:
    drawing = draw(of)
    sheet = Area(0, 0, drawing.width, drawing.height)
    areas = [box.area for box in drawing.boxes]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(areas, 2))
    assert all(sheet.holds(area) for area in areas)
    assert all(sheet.holds(frame.area) for frame in drawing.frames)


@given(ANY_DOCUMENT)
def test_a_frame_holds_its_own_steps_and_no_others(of: dict[str, Any]) -> None:
    drawing = draw(of)
    for frame in drawing.frames:
        for box in drawing.boxes:
            within = box.step.path == frame.path or box.step.path.startswith(f"{frame.path}.")
            assert frame.area.holds(box.area) is within
            assert frame.area.overlaps(box.area) is within
    for outer, inner in itertools.combinations(drawing.frames, 2):
        within = inner.path.startswith(f"{outer.path}.")
        assert outer.area.holds(inner.area) is within
        assert outer.area.overlaps(inner.area) is within


@given(ANY_DOCUMENT)
def test_no_line_crosses_a_step_and_all_are_at_right_angles(of: dict[str, Any]) -> None:
    drawing = draw(of)
    for line in drawing.lines:
        for (x, y), (u, v) in itertools.pairwise(line.points):
            assert x == u or y == v, line
        for box in drawing.boxes:
            assert not any(part.overlaps(box.area) for part in _segments(line)), (line, box)


@given(ANY_DOCUMENT)
def test_no_name_of_a_branch_lies_on_a_step(of: dict[str, Any]) -> None:
    drawing = draw(of)
    for label in drawing.labels:
        area = Area(label.x, label.y - 11, 36, 13)
        assert area.right <= drawing.width
        assert not any(area.overlaps(box.area) for box in drawing.boxes), label


@given(ANY_DOCUMENT)
def test_every_step_that_can_be_reached_is_entered_by_one_line(of: dict[str, Any]) -> None:
    drawing = draw(of)
    entered = [line.target for line in drawing.lines if line.role is Role.ENTER]
    assert len(entered) == len(set(entered))
    reached = set(entered)
    steps = {box.step.path: box.step for box in drawing.boxes}
    for path in steps:
        goes_on = all(steps[before].goes_on for before in _steps_before(path))
        assert (path in reached) is goes_on


def _steps_before(path: str) -> list[str]:
    """In its own branch."""
    head, _, index = path.rpartition("[")
    return [f"{head}[{number}]" for number in range(int(index.rstrip("]")))]


def test_branches_stand_side_by_side_and_the_first_in_the_steps_own_column() -> None:
    head, then, other, after = draw(document(branch([action()], [action()]), action())).boxes
    assert head.area.x == then.area.x == after.area.x
    assert then.area.y == other.area.y > head.area.bottom
    assert other.area.x > then.area.right
    assert after.area.y > then.area.bottom


def test_a_branch_without_steps_has_a_line_of_its_own() -> None:
    [skip] = [line for line in draw(document(branch([action()]))).lines if line.role is Role.SKIP]
    assert (skip.source, skip.target) == ("root.steps[0]", "root.steps[0].then.steps[0]")


def test_a_loop_has_a_line_back() -> None:
    drawing = draw(document(loop([action(), action()])))
    [back] = [line for line in drawing.lines if line.role is Role.REPEAT]
    assert back.target == "root.steps[0].body.steps[0]"
    assert back.points[-1][1] < back.points[0][1]


def test_the_way_into_a_catch_is_told_from_the_others() -> None:
    drawing = draw(document(guarded([action()], [action()])))
    assert [line.target for line in drawing.lines if line.is_fault] == [
        "root.steps[0].catch.steps[0]"
    ]


def test_nothing_goes_on_from_a_return() -> None:
    drawing = draw(document(branch([stop()], [stop()]), action()))
    assert Mark.JOIN not in {dot.mark for dot in drawing.dots}
    assert "root.steps[1]" not in {line.target for line in drawing.lines}


def test_a_document_without_steps_goes_from_its_start_to_its_end() -> None:
    drawing = draw(document())
    assert [dot.mark for dot in drawing.dots] == [Mark.START, Mark.END]
    assert len(drawing.lines) == 1


def test_what_is_no_document_is_drawn_as_far_as_it_is_one() -> None:
    odd: list[Any] = [None, [], {"steps": "x"}, {"steps": [1, None, {"type": 7, "config": 3}]}]
    assert [len(draw(one).boxes) for one in odd] == [0, 0, 0, 1]


def test_two_thousand_steps_are_laid_out_within_half_a_second() -> None:
    """At the limits of a document: 2,000 steps, 32 levels."""
    inner: list[dict[str, Any]] = [action()]
    for _ in range(30):
        inner = [branch(inner, [action()])]
    big = document(*inner, *(loop([action(), action(), action()]) for _ in range(470)))
    steps = steps_to_draw(big)
    began = time.process_time()
    drawing = lay_out(steps)
    assert time.process_time() - began < 0.5
    assert len(drawing.boxes) > 1900
