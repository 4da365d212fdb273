"""The document against its models, every fault at its own step (the original lost the place)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from engine.contract import Json
from engine.definitions.checks.checked import Checked
from engine.definitions.document import Document
from engine.definitions.findings import ROOT, Finding, Severity, did_you_mean
from engine.definitions.steps import BLOCKS, KINDS

_EXPRESSION: Final = 'must be an expression: {"$expr": "..."}'
_NO_EFFECT: Final = {
    "retry": (
        "RETRY_HAS_NO_EFFECT",
        "retry has an effect only on action.call and control.callWorkflow.",
    ),
    "onError": ("ON_ERROR_HAS_NO_EFFECT", "onError has no effect on this step."),
}
_ALTERNATIVES: Final = frozenset({"Expr", "constrained-str"})
"""Names that pydantic puts into a location for the members of a plain union."""
_ACTION_NAMES: Final = frozenset({"actionId", "version"})


def check_shape(checked: Checked) -> None:
    try:
        Document.model_validate(checked.data)
    except ValidationError as error:
        seen = set()
        for fault in error.errors(include_url=False, include_input=False):
            finding = _finding(checked.data, fault)
            if finding not in seen:
                seen.add(finding)
                checked.findings.append(finding)
    given = [checked.data.get(name) for name in ("payloadSchema", "payloadSchemaRef")]
    if None not in given:
        checked.error(
            None,
            "INVALID_WORKFLOW_DEFINITION",
            "payloadSchema and payloadSchemaRef exclude each other.",
        )


def _finding(data: dict[str, Any], fault: Any) -> Finding:
    step, path, field = _place(data, fault["loc"])
    step_id = step.get("id") if isinstance(step, dict) else None
    code, message, suggestion = _said(step, field, fault)
    return Finding(
        Severity.ERROR,
        path,
        step_id if isinstance(step_id, str) else None,
        code,
        message,
        suggestion,
    )


def _place(data: dict[str, Any], location: Sequence[str | int]) -> tuple[Json, str, list[str]]:
    """The innermost step of a location, its path, and the fields that lead on from there.

    Locations of the models have the chosen kind of a union in them, which is no field.
    """
    step: Json = None
    path = ROOT
    here: Json = data
    field: list[str] = []
    for part in location:
        if isinstance(here, list) and isinstance(part, int):
            here = here[part] if part < len(here) else None
            if len(field) == 1 and field[0] in ("steps", *BLOCKS):
                place = "steps" if path == ROOT else f"{field[0]}.steps"
                step, path, field = here, f"{path}.{place}[{part}]", []
            else:
                field.append(str(part))
        elif part in _ALTERNATIVES or (isinstance(here, dict) and _is_choice(here, field, part)):
            continue
        else:
            here = here.get(part) if isinstance(here, dict) else None
            field.append(str(part))
    return step, path, field


def _is_choice(here: dict[str, Any], field: list[str], part: str | int) -> bool:
    if part in here and part not in ("until", "duration"):
        return False
    return part == here.get("type") or (field == ["config"] and part == here.get("mode"))


def _said(step: Json, field: list[str], fault: Any) -> tuple[str, str, str | None]:
    kind = step.get("type") if isinstance(step, dict) else None
    name = ".".join(field)
    if fault["type"] == "union_tag_invalid" and not field and isinstance(kind, str):
        message = f"There is no step kind {kind}."
        return "UNKNOWN_NODE_TYPE", message, did_you_mean(kind, KINDS)
    if fault["type"] == "extra_forbidden" and step is not None and name in _NO_EFFECT:
        return (*_NO_EFFECT[name], None)
    message, suggestion = _words(step, field, fault)
    return _code(kind, field), f"{name}: {message}" if name else message, suggestion


def _code(kind: Json, field: list[str]) -> str:
    if field[:1] != ["config"]:
        return "INVALID_WORKFLOW_DEFINITION"
    if kind == "action.call" and (len(field) == 1 or field[1] in _ACTION_NAMES):
        return "INVALID_ACTION_CONFIG"
    return "INVALID_CONFIG"


def _words(step: Json, field: list[str], fault: Any) -> tuple[str, str | None]:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "missing":
        return "This field is required.", None
    if kind == "extra_forbidden":
        return _unknown_field(step, field)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _untagged(fault), None
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        if context.get("class_name") == "Expr":
            return f"This {_EXPRESSION}.", None
        return "This must be a JSON object.", None
    if kind == "literal_error":
        return f"This must be {context.get('expected')}.", None
    return f"{fault['msg'].replace('Input should', 'This must').replace('String', 'Text')}.", None


def _unknown_field(step: Json, field: list[str]) -> tuple[str, str | None]:
    if "$expr" in field[-1:] or _stands_beside_expression(step, field):
        return "Nothing may stand beside $expr.", None
    if field[-1].startswith("ai"):
        return "Fields of AI actions are not in the language.", None
    if len(field) == 1 and field[0] == "name" and step is not None:
        return "A control step has no name.", None
    return "This field is not in the language.", None


def _stands_beside_expression(step: Json, field: list[str]) -> bool:
    here = step
    for part in field[:-1]:
        here = here.get(part) if isinstance(here, dict) else None
    return isinstance(here, dict) and "$expr" in here


def _untagged(fault: Any) -> str:
    expected = fault.get("ctx", {}).get("expected_tags")
    tag = str(fault.get("ctx", {}).get("discriminator", "type")).strip("'")
    return f"{tag} must be one of {expected}." if expected else f"This needs a {tag}."
