"""A picture of a workflow as its template receives it: finished texts, addresses and paths.

Colours and fonts are the stylesheet's; here is only where things are and what they say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final

from engine.definitions.drawing.shapes import Drawing, Frame, Label, Line, Point
from engine.definitions.drawing.words import shortened

ZOOMS: Final = (25, 50, 75, 100, 150, 200)
"""Per cent."""
FIT: Final = "fit"
_USUAL_ZOOM: Final = 100

_LABEL_COLUMNS: Final = 24
_DETAIL_COLUMNS: Final = 32
_CORNER: Final = 8.0
_TIP: Final = 5.0
_KINDS: Final = {
    "action.call": "action",
    "transform.assign": "assign",
    "state.set": "state",
    "event.wait": "event",
    "time.wait": "time",
    "human.task": "human",
    "control.if": "if",
    "control.forEach": "loop",
    "control.tryCatch": "try",
    "control.callWorkflow": "call",
    "control.return": "return",
}


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is known of a step beside what the document says."""

    says: str = ""
    """Third line: how it stands."""
    status: str = ""
    """Lower case; empty: the picture is of no run."""
    heard: str = ""
    """The third line as it is read out."""
    error: str = ""
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    path: str
    x: str
    y: str
    width: str
    height: str
    icon: str
    label: str
    detail: str
    name: str
    """As assistive technology says it: name, kind, status, how often."""
    title: str
    """All of it, uncut."""
    facts: NodeFacts


@dataclass(frozen=True, slots=True)
class Way:
    d: str
    """Path data."""
    walked: bool
    fault: bool


@dataclass(frozen=True, slots=True)
class Zoom:
    """How large it is drawn: in per cent, or as large as the window."""

    percent: int = _USUAL_ZOOM
    fits: bool = False

    @classmethod
    def of(cls, text: str | None) -> Zoom:
        """What is none is as if nothing had been asked."""
        if text == FIT:
            return cls(fits=True)
        return next((cls(percent) for percent in ZOOMS if text == str(percent)), cls())

    def __str__(self) -> str:
        return FIT if self.fits else str(self.percent)


@dataclass(frozen=True, slots=True)
class Picture:
    title: str
    drawing: Drawing
    zoom: Zoom
    nodes: tuple[Node, ...]
    ways: tuple[Way, ...]
    """Those gone along last, so that they lie above the others."""
    of_run: bool

    @property
    def width(self) -> int:
        return round(self.drawing.width * self.zoom.percent / 100)

    @property
    def height(self) -> int:
        return round(self.drawing.height * self.zoom.percent / 100)

    @property
    def frames(self) -> Sequence[Frame]:
        return self.drawing.frames

    @property
    def labels(self) -> Sequence[Label]:
        return self.drawing.labels


def make_picture(
    title: str,
    drawing: Drawing,
    zoom: Zoom,
    facts: Callable[[str], NodeFacts],
    texts: Callable[[str], tuple[str, str] | None] = lambda path: None,
    walked: Container[Line] | None = None,
) -> Picture:
    """`facts` and `texts` (label, detail) by path; `walked` None: the picture is of no run."""
    return Picture(
        title=title,
        drawing=drawing,
        zoom=zoom,
        nodes=tuple(
            _node(
                box.step.path,
                box.step.kind,
                texts(box.step.path) or (box.step.label, box.step.detail),
                box.area.x,
                box.area.y,
                box.area.width,
                box.area.height,
                facts(box.step.path),
            )
            for box in drawing.boxes
        ),
        ways=tuple(
            sorted(
                (
                    Way(path_data(line), walked is not None and line in walked, line.is_fault)
                    for line in drawing.lines
                ),
                key=lambda way: way.walked,
            )
        ),
        of_run=walked is not None,
    )


def _node(
    path: str,
    kind: str,
    texts: tuple[str, str],
    x: float,
    y: float,
    width: float,
    height: float,
    facts: NodeFacts,
) -> Node:
    label, detail = texts
    said = [label, kind, *([facts.heard] if facts.heard else [])]
    lines = [", ".join(said), detail, facts.error, path]
    return Node(
        path=path,
        x=f"{x:g}",
        y=f"{y:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        icon=_KINDS.get(kind, "other"),
        label=shortened(label, _LABEL_COLUMNS),
        detail=shortened(detail or kind, _DETAIL_COLUMNS, even=True),
        name=", ".join(said),
        title="\n".join(line for line in lines if line),
        facts=facts,
    )


def path_data(line: Line) -> str:
    """With round corners, and an arrow's tip where it has one."""
    points = line.points
    parts = [f"M{_at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        room = min(_CORNER, _distance(before, corner) / 2, _distance(corner, after) / 2)
        parts.append(f"L{_at(_towards(corner, before, room))}")
        parts.append(f"Q{_at(corner)} {_at(_towards(corner, after, room))}")
    parts.append(f"L{_at(points[-1])}")
    if line.arrow:
        parts.append(_tip(*list(itertools.pairwise(points))[-1]))
    return "".join(parts)


def _tip(start: Point, end: Point) -> str:
    back = _towards(end, start, _TIP)
    x, y = (_TIP, 0.0) if start[0] == end[0] else (0.0, _TIP)
    left, right = (back[0] - x, back[1] - y), (back[0] + x, back[1] + y)
    return f"M{_at(left)}L{_at(end)}L{_at(right)}"


def _towards(start: Point, end: Point, distance: float) -> Point:
    whole = _distance(start, end)
    if whole == 0:
        return start
    share = distance / whole
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _distance(start: Point, end: Point) -> float:
    return abs(start[0] - end[0]) + abs(start[1] - end[1])


def _at(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"
