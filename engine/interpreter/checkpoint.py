"""The interpreter's whole state as JSON, taken between two steps (continue-as-new).

{"format", "text"}, the text being the JSON of {"position", "bytes", "scopes": {payload, vars, meta,
error}, "frames": [frame…], "refs": [path…]}; a frame is {"step", "block", "index", "position",
"startedAt", "announced", "state"}, the first one stands for the whole plan. References are
{"$ref", "bytes"}, and `refs` says where they are: an author's own data may look like one.

It is text, because what carries and stores JSON sorts the keys of objects, and their order is
something that expressions see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engine.contract import Json
from engine.interpreter.failure import Corrupt
from engine.interpreter.open_step import OpenStep
from engine.interpreter.reference_paths import Path, put_back, taken_out
from engine.interpreter.scope import WRITABLE, Scope

FORMAT: Final = 1

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class CheckpointReached(BaseException):
    """Ends `Interpreter.run` where the host wants to continue as new; nobody may catch it."""

    def __init__(self, checkpoint: dict[str, Json]) -> None:
        super().__init__("checkpoint")
        self.checkpoint = checkpoint


@dataclass(frozen=True, slots=True)
class SavedFrame:
    step: str
    block: str
    index: int
    position: int
    started_at: datetime
    announced: bool
    state: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Saved:
    position: int
    bytes: int
    scopes: dict[str, Json]
    frames: list[SavedFrame]


def take(position: int, size: int, scope: Scope, open: Sequence[OpenStep]) -> dict[str, Json]:
    refs: list[Path] = []
    scopes = {name: getattr(scope, name) for name in WRITABLE}
    if scope.holds_references:
        scopes = taken_out(scopes, ["scopes"], refs)
    frames = [_frame(opened, ["frames", at], refs) for at, opened in enumerate(open)]
    state = {
        "position": position,
        "bytes": size,
        "scopes": scopes,
        "frames": frames,
        "refs": refs,
    }
    return {"format": FORMAT, "text": json.dumps(state, ensure_ascii=False, separators=(",", ":"))}


def load(checkpoint: Json) -> Saved:
    """Raises Corrupt for what `take` has not made."""
    try:
        if checkpoint["format"] != FORMAT:
            raise Corrupt(f"unknown checkpoint format {checkpoint['format']!r}")
        state = json.loads(checkpoint["text"])
        for path in state["refs"]:
            put_back(state, path)
        return Saved(
            position=state["position"],
            bytes=state["bytes"],
            scopes={name: state["scopes"][name] for name in WRITABLE},
            frames=[_saved(frame) for frame in state["frames"]],
        )
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise Corrupt("the checkpoint is not one") from error


def _frame(opened: OpenStep, path: Path, refs: list[Path]) -> dict[str, Json]:
    return {
        "step": opened.step.id,
        "block": opened.block,
        "index": opened.index,
        "position": opened.place.position,
        "startedAt": (opened.started_at - _EPOCH) // _MICROSECOND,
        "announced": opened.announced,
        "state": _frame_state(opened.state, [*path, "state"], refs),
    }


def _frame_state(state: dict[str, Json], path: Path, refs: list[Path]) -> dict[str, Json]:
    """Only what a scope held before (`previous`) can hold references; items may be many."""
    if "previous" not in state:
        return dict(state)
    return {**state, "previous": taken_out(state["previous"], [*path, "previous"], refs)}


def _saved(frame: Mapping[str, Any]) -> SavedFrame:
    return SavedFrame(
        step=frame["step"],
        block=frame["block"],
        index=int(frame["index"]),
        position=int(frame["position"]),
        started_at=_EPOCH + frame["startedAt"] * _MICROSECOND,
        announced=bool(frame["announced"]),
        state=dict(frame["state"]),
    )
