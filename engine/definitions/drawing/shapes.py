"""What a picture is made of. Units are pixels at 100 %; y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.definitions.drawing.steps import DrawnStep

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Area:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: Area) -> bool:
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def holds(self, other: Area) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Box:
    """A step."""

    step: DrawnStep
    area: Area


@dataclass(frozen=True, slots=True)
class Frame:
    """Around a step and all its branches."""

    path: str
    kind: str
    area: Area
    depth: int
    """0 for a step of the document itself."""


class Mark(StrEnum):
    START = "start"
    JOIN = "join"
    END = "end"


@dataclass(frozen=True, slots=True)
class Dot:
    mark: Mark
    x: float
    y: float


class Role(StrEnum):
    """What going along a line means; tells how to know whether a run did (walked.py)."""

    ENTER = "enter"
    """To step `target`."""
    LEAVE = "leave"
    """From step `source`, which has ended, to where branches join or the run ends."""
    SKIP = "skip"
    """Through an empty branch of `source`; `target` is the first step of its other branch."""
    REPEAT = "repeat"
    """Back to loop `source` for the next item; `target` is the first step of its body."""


@dataclass(frozen=True, slots=True)
class Line:
    """At right angles, through `points`."""

    points: tuple[Point, ...]
    role: Role
    source: str | None = None
    target: str | None = None
    is_fault: bool = False
    """Gone along when something failed: into a catch."""
    arrow: bool = True


@dataclass(frozen=True, slots=True)
class Label:
    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    boxes: tuple[Box, ...]
    """In the order in which the steps are written: that in which they are executed."""
    frames: tuple[Frame, ...]
    """Outer before inner."""
    lines: tuple[Line, ...]
    dots: tuple[Dot, ...]
    labels: tuple[Label, ...]
