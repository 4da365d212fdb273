"""Step ids are unique in a document, nested steps included."""

from __future__ import annotations

from engine.definitions.checks.checked import Checked


def check_step_ids(checked: Checked) -> None:
    first: dict[str, str] = {}
    for step in checked.steps:
        if step.id is None:
            continue
        if step.id in first:
            checked.error(
                step,
                "DUPLICATE_STEP_ID",
                f"The id {step.id!r} is used already, at {first[step.id]}.",
            )
        else:
            first[step.id] = step.path
