"""Actions whose effects a drill counts, installed as a third party's.

Each call appends `<action> <tag> <idempotency key>` to the file that `DRILL_EFFECTS` names, in the
middle of its work: a process may be killed before and after.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from engine.actions.action import Action, ActionContext

EFFECTS: Final = "DRILL_EFFECTS"
ENTRY_POINTS: Final = "[run_studio.actions]\ndrill = tests.drills.actions:ACTIONS\n"


class Touch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tag: str
    ms: int = 0


class Touched(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tag: str


def _action(name: str, *, repeatable: bool, quick: bool) -> Action:
    def run(touch: Touch, context: ActionContext) -> Touched:
        time.sleep(touch.ms / 2000)
        with Path(os.environ[EFFECTS]).open("a") as file:
            file.write(f"{name} {touch.tag} {context.idempotency_key}\n")
        time.sleep(touch.ms / 2000)
        return Touched(tag=touch.tag)

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
