"""Step kinds that are in the language but not executed by this release yet."""

from __future__ import annotations

from engine.definitions.availability import AVAILABLE_KINDS, CONCURRENT_LOOP
from engine.definitions.checks.checked import Checked
from engine.definitions.steps import KINDS


def check_kinds(checked: Checked) -> None:
    for step in checked.steps:
        if step.kind in KINDS and step.kind not in AVAILABLE_KINDS:
            checked.error(
                step, "KIND_NOT_AVAILABLE", f"{step.kind} is not executed by this release yet."
            )
        concurrency = step.config.get("concurrency")
        concurrent = isinstance(concurrency, int) and concurrency > 1
        if step.kind == "control.forEach" and concurrent and CONCURRENT_LOOP not in AVAILABLE_KINDS:
            checked.error(
                step,
                "KIND_NOT_AVAILABLE",
                "Loops with a concurrency above 1 are not executed by this release yet.",
                "Leave concurrency out.",
            )
