"""Everything that is wrong with a document, in one pass (docs/authoring.md, Publish findings)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from engine.contract import Json
from engine.definitions.catalogue import Catalogue
from engine.definitions.checks.actions import check_actions
from engine.definitions.checks.assignments import check_assignments
from engine.definitions.checks.calls import check_calls
from engine.definitions.checks.checked import Checked
from engine.definitions.checks.expressions import check_expressions
from engine.definitions.checks.kinds import check_kinds
from engine.definitions.checks.limits import check_limits, not_an_object
from engine.definitions.checks.names import check_names
from engine.definitions.checks.payloads import check_payloads
from engine.definitions.checks.shape import check_shape
from engine.definitions.checks.special_keys import check_special_keys
from engine.definitions.checks.step_ids import check_step_ids
from engine.definitions.checks.triggers import check_triggers
from engine.definitions.checks.waits import check_waits
from engine.definitions.findings import Finding, Severity, has_errors
from engine.definitions.workflows import Workflows

__all__ = ["Finding", "Severity", "check_document", "has_errors"]

_CHECKS: Final[tuple[Callable[[Checked], None], ...]] = (
    check_shape,
    check_payloads,
    check_triggers,
    check_step_ids,
    check_kinds,
    check_expressions,
    check_assignments,
    check_names,
    check_special_keys,
    check_actions,
    check_calls,
    check_waits,
)


def check_document(
    data: Json,
    catalogue: Catalogue,
    *,
    workflows: Workflows,
    schemas: Mapping[str, Mapping[str, Json]],
    secrets: Collection[str] | None = None,
    task_types: Collection[str] | None = None,
) -> list[Finding]:
    """Every fault of `data`, a document as parsed, in the order of its steps. Never raises.

    `schemas` are the installation's (the built-in ones are known). `secrets` and `task_types` are
    the names that there are; None: not known here, and not checked.
    """
    if not isinstance(data, dict):
        return [not_an_object(data)]
    findings, small_enough = check_limits(data)
    if not small_enough:
        return findings
    checked = Checked(data, catalogue, workflows, schemas, secrets, task_types)
    for check in _CHECKS:
        check(checked)
    order = {step.path: index for index, step in enumerate(checked.steps)}
    return sorted(
        dict.fromkeys(checked.findings), key=lambda finding: order.get(finding.step_path, -1)
    )
