"""event.wait filters, and what a human.task asks with."""

from __future__ import annotations

from typing import Any

from engine.definitions.checks.checked import Checked
from engine.definitions.findings import did_you_mean
from engine.definitions.payload_schema import check_schema
from engine.definitions.walk import RawStep
from engine.expressions.filters import (
    LIST_OPERATORS,
    OPERATORS,
    TEXT_OPERATORS,
    VALUELESS_OPERATORS,
)


def check_waits(checked: Checked) -> None:
    for step in checked.steps:
        if step.kind == "event.wait":
            filters = step.config.get("filters")
            for index, one in enumerate(filters if isinstance(filters, list) else ()):
                if isinstance(one, dict) and _is_operator(one.get("op")):
                    _check_filter(checked, step, f"filters.{index}", one)
        elif step.kind == "human.task":
            _check_task(checked, step)


def _is_operator(op: object) -> bool:
    return isinstance(op, str) and op in OPERATORS


def _check_filter(checked: Checked, step: RawStep, name: str, one: dict[str, Any]) -> None:
    op = one["op"]
    if op in VALUELESS_OPERATORS:
        if "value" in one:
            checked.error(step, "INVALID_CONFIG", f"{name}: {op} takes no value.")
    elif "value" not in one:
        checked.error(step, "INVALID_CONFIG", f"{name}: {op} needs a value.")
    elif op in LIST_OPERATORS and not isinstance(one["value"], list):
        checked.error(step, "INVALID_CONFIG", f"{name}: {op} needs a list of values.")
    elif op in TEXT_OPERATORS and not isinstance(one["value"], str):
        checked.error(step, "INVALID_CONFIG", f"{name}: {op} needs a text.")


def _check_task(checked: Checked, step: RawStep) -> None:
    task_type, form = step.config.get("taskType"), step.config.get("form")
    if (task_type is None) == (form is None):
        message = "A task has either a taskType or a form."
        checked.error(step, "INVALID_CONFIG", message)
    if form is not None:
        for problem in check_schema(form):
            message = f"form{problem.pointer}: {problem.message}"
            checked.error(step, "INVALID_FORM_SCHEMA", message)
    known = checked.task_types
    if isinstance(task_type, str) and known is not None and task_type not in known:
        message = f"There is no task type {task_type}."
        checked.error(step, "UNKNOWN_TASK_TYPE", message, did_you_mean(task_type, known))
