"""The limits of a document: 1 MiB, 2,000 steps, 32 levels; and that it is JSON at all."""

from __future__ import annotations

from typing import Any

from engine.contract import Json
from engine.definitions.document import MAX_BYTES, MAX_JSON_DEPTH, MAX_NESTING, MAX_STEPS
from engine.definitions.findings import ROOT, Finding, Severity
from engine.definitions.schema_safety import depth_of
from engine.definitions.walk import steps_of
from engine.runs import strict_json

_SHOWN = 20


def check_limits(data: dict[str, Any]) -> tuple[list[Finding], bool]:
    """Findings, and whether the document is small and sane enough to be looked into."""
    if depth_of(data, MAX_JSON_DEPTH) > MAX_JSON_DEPTH:
        return [_too_deep(ROOT, None)], False
    faults = strict_json.check(data, max_depth=MAX_JSON_DEPTH)
    if faults:
        return [
            _error(ROOT, None, "NON_SERIALIZABLE", f"{fault.pointer or 'The document'}: "
                   f"{fault.message}.")
            for fault in faults[:_SHOWN]
        ], False  # fmt: skip
    size = strict_json.byte_length(data)
    if size > MAX_BYTES:
        message = f"The document has {size:,} bytes; at most {MAX_BYTES:,} are allowed."
        return [_error(ROOT, None, "DOCUMENT_TOO_LARGE", message)], False
    return _step_limits(data)


def _step_limits(data: dict[str, Any]) -> tuple[list[Finding], bool]:
    findings: list[Finding] = []
    count = 0
    deep = None
    for step in steps_of(data):
        count += 1
        if step.nesting > MAX_NESTING and deep is None:
            deep = step
            findings.append(_too_deep(step.path, step.id))
    if count > MAX_STEPS:
        message = f"The document has {count:,} steps; at most {MAX_STEPS:,} are allowed."
        suggestion = "Move a part into a workflow of its own and call it."
        findings.append(Finding(Severity.ERROR, ROOT, None, "TOO_MANY_STEPS", message, suggestion))
    return findings, not findings


def _too_deep(path: str, step_id: str | None) -> Finding:
    message = f"Steps are nested deeper than {MAX_NESTING} levels."
    return _error(path, step_id, "NESTING_TOO_DEEP", message)


def _error(path: str, step_id: str | None, code: str, message: str) -> Finding:
    return Finding(Severity.ERROR, path, step_id, code, message)


def not_an_object(data: Json) -> Finding:
    what = "null" if data is None else type(data).__name__
    return _error(ROOT, None, "INVALID_WORKFLOW_DEFINITION",
                  f"A document is a JSON object, not {what}.")  # fmt: skip
