"""Actions whose effects a test can count, in whichever process they happen: lines of a file.

`EFFECTS` names the file; each call appends `begin <note>` and, when it ends, `end <note>`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.actions.action import Action, ActionContext
from engine.actions.registry import Registry, default_registry
from engine.errors import Category, StepFailed

EFFECTS = "WORK_EFFECTS"


class Work(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: str = "work"
    ms: int = 0
    """How long it takes; it heeds no cancel meanwhile."""
    fails: int = 0
    """How many attempts fail first."""
    category: str = "TransientError"
    bytes: int = 0
    """Size of the text that it gives."""
    value: Any = None


class Worked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: str
    text: str = ""
    value: Any = None


def _work(work: Work, context: ActionContext) -> Worked:
    _tell(f"begin {work.note}")
    deadline = time.monotonic() + work.ms / 1000
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))
    if context.attempt <= work.fails:
        raise StepFailed(Category(work.category), f"{work.note} fails", code="TOLD_TO")
    _tell(f"end {work.note}")
    return Worked(note=work.note, text="x" * work.bytes, value=work.value)


def _heed(work: Work, context: ActionContext) -> Worked:
    _tell(f"begin {work.note}")
    deadline = time.monotonic() + work.ms / 1000
    while time.monotonic() < deadline:
        context.raise_if_cancelled()
        time.sleep(0.02)
    _tell(f"end {work.note}")
    return Worked(note=work.note)


def _rude(work: Work, context: ActionContext) -> Worked:
    """Fails with more than a row should hold."""
    message = "\N{GRINNING FACE}" * 20_000
    raise StepFailed(Category.ACTION, message, details={"much": "x" * 100_000})


def _tell(line: str) -> None:
    with Path(os.environ[EFFECTS]).open("a") as file:
        file.write(line + "\n")


def _action(name: str, run: Any = _work, **nature: Any) -> Action:
    return Action(
        id=f"work.{name}",
        version=1,
        Input=Work,
        Output=Worked,
        run=run,
        summary="Takes a while and says so.",
        **nature,
    )


def registry() -> Registry:
    """The built-in actions, and these: quick, again (repeatable), once (not), heed (a cancel),
    rude (fails at length)."""
    known = default_registry(plugins=())
    known.register(_action("quick", quick=True, repeatable=True))
    known.register(_action("again", repeatable=True))
    known.register(_action("once"))
    known.register(_action("heed", _heed))
    known.register(_action("rude", _rude))
    return known
