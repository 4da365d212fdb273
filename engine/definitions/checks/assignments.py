"""Where steps write: assign maps, output mappings, saveAs (original 2.9)."""

from __future__ import annotations

from engine.definitions.checks.checked import Checked
from engine.definitions.schema_paths import is_known
from engine.definitions.walk import RawStep
from engine.expressions.paths import PathRefused, Target, parse_assign, parse_save_as


def check_assignments(checked: Checked) -> None:
    for step in checked.steps:
        for field in ("assign", "outputMapping"):
            for text in step.object(field):
                _check(checked, step, field, text)
        save_as = step.text("saveAs")
        if save_as:
            try:
                _warn_of_unknown(checked, step, "saveAs", parse_save_as(save_as))
            except PathRefused as refused:
                checked.error(step, "INVALID_ASSIGN_PATH", f"saveAs: {refused}")


def _check(checked: Checked, step: RawStep, field: str, text: str) -> None:
    try:
        target = parse_assign(text)
    except PathRefused as refused:
        suggestion = f"Write vars.{text}." if _could_be_var(text) else None
        checked.error(step, "INVALID_ASSIGN_PATH", f"{field} {text!r}: {refused}", suggestion)
    else:
        _warn_of_unknown(checked, step, field, target)


def _could_be_var(text: str) -> bool:
    try:
        parse_assign(f"vars.{text}")
    except PathRefused:
        return False
    return True


def _warn_of_unknown(checked: Checked, step: RawStep, field: str, target: Target) -> None:
    schema = checked.payload_schema
    if target.scope == "payload" and schema is not None and not is_known(schema, target.segments):
        message = f"{field}: {target} is not in the payload schema."
        checked.warning(step, "ASSIGN_PATH_UNKNOWN", message)
