"""Where everything is drawn: steps from top to bottom, branches side by side.

The first branch of a step stays in the step's own column, so that the way of a run that nothing
stopped is one straight line at the left, and a narrow window shows it without scrolling. Further
branches stand to the right of it. A frame goes around a step and its branches; frames within reach
out to the left of their column, which is why their overhang is known before anything is placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.definitions.drawing.shapes import (
    Area,
    Box,
    Dot,
    Drawing,
    Frame,
    Label,
    Line,
    Mark,
    Point,
    Role,
)
from engine.definitions.drawing.steps import Branch, DrawnStep

BOX_WIDTH: Final = 264.0
BOX_HEIGHT: Final = 76.0
_GAP: Final = 30.0
"""Between a step and the next."""
_LABEL_GAP: Final = 44.0
"""Between a step and its branches, whose names stand there."""
_PAD: Final = 16.0
_BACK: Final = 18.0
"""Room for the line back to a loop."""
_COLUMN_GAP: Final = 28.0
_EMPTY_WIDTH: Final = 56.0
"""Of a branch without steps: a line and its name."""
_MARGIN: Final = 20.0
_DOT: Final = 7.0


@dataclass(frozen=True, slots=True)
class _Way:
    """Where it goes on from, and after which step."""

    at: Point
    source: str | None


@dataclass(frozen=True, slots=True)
class _Placed:
    entry: Point
    right: float
    bottom: float
    way: _Way | None
    """None: the run has ended there."""


def lay_out(steps: Sequence[DrawnStep]) -> Drawing:
    return _Sheet().draw(steps)


def _overhang(steps: Sequence[DrawnStep]) -> float:
    """How far frames reach out to the left of these steps' column."""
    return max((_overhang_of(step) for step in steps), default=0.0)


def _overhang_of(step: DrawnStep) -> float:
    if not step.branches:
        return 0.0
    back = _BACK if step.kind == "control.forEach" else 0.0
    return _PAD + back + _overhang(step.branches[0].steps)


class _Sheet:
    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.frames: list[Frame] = []
        self.lines: list[Line] = []
        self.dots: list[Dot] = []
        self.labels: list[Label] = []

    def draw(self, steps: Sequence[DrawnStep]) -> Drawing:
        x = _MARGIN + _overhang(steps)
        middle, y = x + BOX_WIDTH / 2, _MARGIN + _DOT
        self.dots.append(Dot(Mark.START, middle, y))
        way: _Way | None = _Way((middle, y + _DOT), None)
        placed = self._column(steps, x, y + _DOT + _GAP, way, 0)
        bottom, way = placed.bottom, placed.way
        if way is not None:
            end = (middle, bottom + _GAP)
            self.lines.append(Line((way.at, end), Role.LEAVE, source=way.source))
            self.dots.append(Dot(Mark.END, end[0], end[1] + _DOT))
            bottom = end[1] + 2 * _DOT
        return Drawing(
            width=placed.right + _MARGIN,
            height=bottom + _MARGIN,
            boxes=tuple(self.boxes),
            frames=tuple(self.frames),
            lines=tuple(self.lines),
            dots=tuple(self.dots),
            labels=tuple(self.labels),
        )

    def _column(
        self, steps: Sequence[DrawnStep], x: float, y: float, way: _Way | None, depth: int
    ) -> _Placed:
        """Steps below each other; `way` leads to the first, None where nothing does."""
        right, bottom, ended = x + BOX_WIDTH, y - _GAP, False
        for step in steps:
            placed = self._step(step, x, bottom + _GAP, depth)
            if way is not None:
                self._line((way.at, placed.entry), Role.ENTER, way.source, step.path)
            right, bottom = max(right, placed.right), placed.bottom
            ended = ended or placed.way is None
            way = None if ended else placed.way
        return _Placed((x, y), right, bottom, way)

    def _step(self, step: DrawnStep, x: float, y: float, depth: int) -> _Placed:
        if step.branches:
            return self._framed(step, x, y, depth)
        area = self._box(step, x, y)
        bottom = (x + BOX_WIDTH / 2, area.bottom)
        way = _Way(bottom, step.path) if step.goes_on else None
        return _Placed((bottom[0], y), area.right, area.bottom, way)

    def _box(self, step: DrawnStep, x: float, y: float) -> Area:
        area = Area(x, y, BOX_WIDTH, BOX_HEIGHT)
        self.boxes.append(Box(step, area))
        return area

    def _framed(self, step: DrawnStep, x: float, y: float, depth: int) -> _Placed:
        place = len(self.frames)
        head = self._box(step, x, y + _PAD)
        middle = x + BOX_WIDTH / 2
        first, *others = step.branches
        ways: list[_Way | None] = []
        inner = self._first_branch(step, first, others, head, depth)
        right, bottom = max(inner.right, head.right), max(inner.bottom, head.bottom)
        ways.append(inner.way)
        if step.kind == "control.forEach":
            others = [] if first.goes_on else [Branch("", "none", ())]
        for branch in others:
            beside = self._side_branch(step, branch, first, head, right, depth)
            ways.append(beside.way)
            right, bottom = max(right, beside.right), max(bottom, beside.bottom)
        way = None
        if any(ways):
            join = (middle, bottom + _GAP)
            self._join(step, join, ways, first)
            bottom, way = join[1] + _DOT, _Way((middle, join[1] + _DOT), step.path)
            if step.kind == "control.forEach" and first.goes_on and first.steps:
                self._back(step, first, head, join)
        left = x - _overhang_of(step)
        area = Area(left, y, right + _PAD - left, bottom + _PAD - y)
        self.frames.insert(place, Frame(step.path, step.kind, area, depth))
        if way is not None:
            way = _Way((middle, area.bottom), step.path)
            self._line(((middle, bottom), way.at), Role.LEAVE, step.path, None, arrow=False)
        return _Placed((middle, head.y), area.right, area.bottom, way)

    def _first_branch(
        self,
        step: DrawnStep,
        branch: Branch,
        others: Sequence[Branch],
        head: Area,
        depth: int,
    ) -> _Placed:
        """In the step's own column, straight below it."""
        middle = head.x + BOX_WIDTH / 2
        self.labels.append(Label(branch.label, middle + 8, head.bottom + 18))
        start = (middle, head.bottom)
        if branch.steps:
            way = _Way(start, step.path)
            return self._column(branch.steps, head.x, head.bottom + _LABEL_GAP, way, depth + 1)
        return _Placed(start, head.right, head.bottom + _LABEL_GAP - _GAP, _Way(start, None))

    def _side_branch(
        self,
        step: DrawnStep,
        branch: Branch,
        first: Branch,
        head: Area,
        left: float,
        depth: int,
    ) -> _Placed:
        """To the right of all that is placed; entered from the step's right side."""
        y = head.y + BOX_HEIGHT / 2
        fault = branch.name == "catch"
        if not branch.steps:
            x = left + _COLUMN_GAP
            self.labels.append(Label(branch.label, x + 8, head.bottom + 18))
            corner = (x, y)
            way = _Way(corner, None)
            return _Placed(corner, x + _EMPTY_WIDTH, head.bottom, way)
        x = left + _COLUMN_GAP + _overhang(branch.steps)
        middle = x + BOX_WIDTH / 2
        self.labels.append(Label(branch.label, middle + 8, head.bottom + 18))
        begun = len(self.lines)
        placed = self._column(branch.steps, x, head.bottom + _LABEL_GAP, None, depth + 1)
        entry = (middle, head.bottom + _LABEL_GAP + (_PAD if branch.steps[0].branches else 0))
        points = ((head.right, y), (middle, y), entry)
        line = Line(points, Role.ENTER, step.path, branch.steps[0].path, is_fault=fault)
        self.lines.insert(begun, line)
        return placed

    def _join(
        self, step: DrawnStep, join: Point, ways: Sequence[_Way | None], first: Branch
    ) -> None:
        """The dot where branches meet again, and the lines from their ends to it."""
        self.dots.append(Dot(Mark.JOIN, *join))
        other = next((b for b in step.branches[1:] if b.steps), None)
        for number, way in enumerate(ways):
            if way is None:
                continue
            points = [way.at, join] if number == 0 else [way.at, (way.at[0], join[1]), join]
            if way.source is not None:
                self._line(tuple(points), Role.LEAVE, way.source, None, arrow=False)
                continue
            rival = (other if number == 0 else first) or first
            target = rival.steps[0].path if rival.steps else None
            if number > 0:
                points.insert(0, (join[0] + BOX_WIDTH / 2, way.at[1]))
            fault = number > 0 and step.kind == "control.tryCatch"
            self._line(tuple(points), Role.SKIP, step.path, target, fault=fault, arrow=False)

    def _back(self, step: DrawnStep, body: Branch, head: Area, join: Point) -> None:
        x = head.x - _overhang(body.steps) - _BACK + 4
        y = head.y + BOX_HEIGHT / 2
        points = (join, (x, join[1]), (x, y), (head.x, y))
        self._line(points, Role.REPEAT, step.path, body.steps[0].path)

    def _line(
        self,
        points: tuple[Point, ...],
        role: Role,
        source: str | None,
        target: str | None,
        *,
        fault: bool = False,
        arrow: bool = True,
    ) -> None:
        self.lines.append(Line(points, role, source, target, fault, arrow))
