"""Actions whose effects a drill counts, installed as a third party's.

Each call appends `<action> <run id> <idempotency key> <attempt>` to the file that `DRILL_EFFECTS`
names, in the middle of its work: a process may be killed before and after.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from engine.actions.action import Action, ActionContext
from engine.errors import Category, StepFailed

EFFECTS: Final = "DRILL_EFFECTS"
ENTRY_POINTS: Final = "[run_studio.actions]\ndrill = tests.drills.actions:ACTIONS\n"


class Touch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ms: int = 0
    fails: int = 0
    """How many attempts fail first, with no effect."""
    category: str = "TransientError"
    bytes: int = 0
    """Size of the text that it gives."""


class Touched(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = ""


def leave_line(name: str, context: ActionContext) -> None:
    """The effect."""
    line = f"{name} {context.run_id} {context.idempotency_key} {context.attempt}\n"
    with Path(os.environ[EFFECTS]).open("a") as file:
        file.write(line)


def _action(name: str, *, repeatable: bool, quick: bool) -> Action:
    def run(touch: Touch, context: ActionContext) -> Touched:
        time.sleep(touch.ms / 2000)
        if context.attempt <= touch.fails:
            raise StepFailed(Category(touch.category), "It was told to fail.", code="TOLD_TO")
        leave_line(f"drill.{name}", context)
        time.sleep(touch.ms / 2000)
        return Touched(text="x" * touch.bytes)

    return Action(
        id=f"drill.{name}",
        version=1,
        Input=Touch,
        Output=Touched,
        run=run,
        summary="Leaves a line that can be counted.",
        repeatable=repeatable,
        quick=quick,
    )


ACTIONS: Final = [
    _action("once", repeatable=False, quick=False),
    _action("keyed", repeatable=True, quick=False),
    _action("quick", repeatable=True, quick=True),
]


def install(directory: Path) -> None:
    """Make the entry point of an installed package in a directory for PYTHONPATH."""
    package = directory / "run_studio_drills-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: run-studio-drills\nVersion: 1.0\n"
    )
    (package / "entry_points.txt").write_text(ENTRY_POINTS)
