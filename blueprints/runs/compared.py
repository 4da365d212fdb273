"""What the page of two compared runs shows: short texts, and what differs marked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from blueprints.display import lasted
from engine.definitions.differences import DocumentDifferences
from engine.runs.json_diff import Difference, Differences
from engine.runs.passages import Pair, Passage
from engine.runs.payload import RedactedPayload
from engine.services.compare_runs import ComparedRun, Comparison

_SHOWN: Final = 400
"""Characters of one value."""
_NOTABLE_MS: Final = 50
"""A smaller difference of two durations is not worth a colour."""


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    pointer: str
    change: str
    left: str | None
    right: str | None
    masked: str | None


@dataclass(frozen=True, slots=True)
class StepRow:
    change: str
    name: str
    kind: str
    left_path: str | None
    right_path: str | None
    fields: tuple[DifferenceRow, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    passage: Passage
    took: str


@dataclass(frozen=True, slots=True)
class PairRow:
    name: str
    kind: str | None
    path: str
    iter: tuple[int, ...]
    left: Cell | None
    right: Cell | None
    alike: bool
    out_of_order: bool
    parting: bool
    slower: str
    """+1.2 s, −40 ms; empty where it cannot be told."""
    trend: str
    """slower, faster or empty."""


@dataclass(frozen=True, slots=True)
class SpentRow:
    name: str
    sides: tuple[str, str]
    more: str
    """How much more the later run spent; empty where it cannot be told."""


@dataclass(frozen=True, slots=True)
class ComparedPage:
    this: str
    """Of the two, the one whose page this is."""
    found: Comparison
    payload: tuple[DifferenceRow, ...]
    fields: tuple[DifferenceRow, ...]
    steps: tuple[StepRow, ...]
    pairs: tuple[PairRow, ...]
    took: str
    """How much longer the later run took."""

    @property
    def sides(self) -> tuple[ComparedRun, ComparedRun]:
        return self.found.left, self.found.right

    @property
    def unlike(self) -> int:
        return sum(not pair.alike for pair in self.pairs)

    @property
    def undecided(self) -> bool:
        """One of them goes on: what differs now may be alike in the end."""
        return any(side.is_open for side in self.sides)

    @property
    def spent(self) -> tuple[SpentRow, ...]:
        left, right = self.found.left.spent, self.found.right.spent
        rows = [
            _spent("Queued for", left.queued, right.queued),
            _spent("Running for", left.running, right.running),
        ]
        if left.waiting or right.waiting:
            rows.append(_spent("Waiting for", left.waiting, right.waiting))
        return tuple(rows)

    @property
    def same_outcome(self) -> bool:
        left, right = self.found.left.view, self.found.right.view
        return (left.status, left.error and left.error.message) == (
            right.status,
            right.error and right.error.message,
        )


def compared_page(found: Comparison, this: str) -> ComparedPage:
    definition = found.definition
    left, right = found.left.took_ms, found.right.took_ms
    return ComparedPage(
        this=this,
        found=found,
        payload=rows_of(found.payload),
        fields=rows_of(definition.fields) if definition else (),
        steps=steps_of(definition) if definition else (),
        pairs=tuple(
            _pair(pair, parting=number == found.way.parting)
            for number, pair in enumerate(found.way.pairs)
        ),
        took="" if left is None or right is None else _signed(right - left),
    )


def _spent(name: str, left: timedelta | None, right: timedelta | None) -> SpentRow:
    both = [None if span is None else span.total_seconds() * 1000 for span in (left, right)]
    texts = ["—" if span is None else lasted(span) for span in both]
    more = "" if both[0] is None or both[1] is None else _signed(both[1] - both[0])
    return SpentRow(name, (texts[0], texts[1]), more)


def rows_of(differences: Differences) -> tuple[DifferenceRow, ...]:
    return tuple(_row(one) for one in differences.found)


def steps_of(definition: DocumentDifferences) -> tuple[StepRow, ...]:
    return tuple(
        StepRow(
            step.change.value,
            step.step_id or step.right_path or step.left_path or "",
            step.kind or "",
            step.left_path,
            step.right_path,
            rows_of(step.fields),
        )
        for step in definition.steps
    )


def _row(one: Difference) -> DifferenceRow:
    return DifferenceRow(
        pointer=one.pointer,
        change=one.change.value,
        left=_text(one.left),
        right=_text(one.right),
        masked=one.masked.value if one.masked else None,
    )


def _text(value: RedactedPayload | None) -> str | None:
    if value is None:
        return None
    text = json.dumps(value.value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def _pair(pair: Pair, *, parting: bool) -> PairRow:
    known = pair.right or pair.left
    assert known is not None
    slower = pair.slower_ms
    trend = ""
    if slower is not None and abs(slower) >= _NOTABLE_MS:
        trend = "slower" if slower > 0 else "faster"
    return PairRow(
        name=known.name,
        kind=known.kind,
        path=known.path,
        iter=known.iter,
        left=_cell(pair.left),
        right=_cell(pair.right),
        alike=pair.alike,
        out_of_order=pair.out_of_order,
        parting=parting,
        slower="" if slower is None else _signed(slower),
        trend=trend,
    )


def _cell(passage: Passage | None) -> Cell | None:
    if passage is None:
        return None
    took = passage.duration_ms
    return Cell(passage, "" if took is None else lasted(took))


def _signed(milliseconds: float) -> str:
    if round(milliseconds) == 0:
        return "±0"
    return ("+" if milliseconds > 0 else "−") + lasted(abs(milliseconds))
