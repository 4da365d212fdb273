"""action.call: the action exists, and its input will have what it needs."""

from __future__ import annotations

from engine.contract import Json
from engine.definitions.catalogue import ActionSpec
from engine.definitions.checks.checked import Checked
from engine.definitions.checks.inputs import InputCheck
from engine.definitions.findings import did_you_mean
from engine.definitions.walk import RawStep
from engine.expressions.mapping import secrets_of


def check_actions(checked: Checked) -> None:
    for step in checked.steps:
        if step.kind == "action.call":
            spec = _spec(checked, step)
            if spec is not None:
                _check_with(checked, step, spec)


def _spec(checked: Checked, step: RawStep) -> ActionSpec | None:
    name, version = step.text("actionId"), step.config.get("version")
    if not name or not isinstance(version, int) or isinstance(version, bool):
        return None  # the shape of the document says so
    spec = checked.catalogue.find(name, version)
    if spec is None:
        versions = checked.catalogue.versions(name)
        if versions:
            suggestion: str | None = f"There is version {', '.join(map(str, versions))}."
        else:
            suggestion = did_you_mean(name, checked.catalogue.names())
        checked.error(step, "UNKNOWN_ACTION", f"There is no action {name}@{version}.", suggestion)
    return spec


def _check_with(checked: Checked, step: RawStep, spec: ActionSpec) -> None:
    mapping: Json = step.config.get("inputMapping", {})
    if isinstance(mapping, dict):
        InputCheck(checked, step, spec.input_schema).check(mapping)
    if spec.pure:
        _check_pure(checked, step, mapping)


def _check_pure(checked: Checked, step: RawStep, mapping: Json) -> None:
    """Pure actions run inside the workflow, where no secret may come (docs/architecture.md 3)."""
    for place, _ in secrets_of(mapping, ("inputMapping",)):
        name = ".".join(map(str, place))
        message = f"{name}: a transform cannot take a secret."
        checked.error(step, "SECRET_NOT_ALLOWED", message)
    if step.data.get("retry") is not None:
        message = "A transform gives the same result each time: retry has no effect."
        checked.warning(step, "RETRY_HAS_NO_EFFECT", message)
