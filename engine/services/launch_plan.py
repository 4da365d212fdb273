"""The plan that a run is to execute, and whether this installation can (docs/rules.md 4).

A version from before the cut-over has no compiled plan: it gets one at its first launch. A plan may
name actions or kinds that this installation does not have (any more): then the launch is refused
with the list, and not a run that fails at the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.availability import AVAILABLE_KINDS
from engine.definitions.catalogue import Catalogue
from engine.definitions.compile import compile_plan
from engine.definitions.document import Document
from engine.definitions.payload_schema import check_schema
from engine.definitions.plan import PlanStep, load_plan
from engine.errors import Conflict
from engine.store.definitions import WorkflowDefinitionVersion

_STEP_LISTS: Final = ("steps", "then", "else", "body", "try", "catch")


def executable_plan(version: WorkflowDefinitionVersion, catalogue: Catalogue) -> dict[str, Json]:
    """The version's plan in its wire form. Raises `Conflict` with what is missing."""
    plan = version.plan_json or _compiled(version, catalogue)
    try:
        steps = load_plan(plan).steps
    except ValueError as error:
        raise _refusal(version, [str(error)]) from error
    missing = sorted(set(_missing(steps, catalogue)))
    if missing:
        raise _refusal(version, missing)
    return plan


def keep_plan(session: Session, version: WorkflowDefinitionVersion, plan: dict[str, Json]) -> None:
    """Store a plan that was compiled for a launch: later launches execute the same one."""
    if version.plan_json is None:
        session.execute(
            update(WorkflowDefinitionVersion)
            .where(
                WorkflowDefinitionVersion.version_id == version.version_id,
                WorkflowDefinitionVersion.plan_json.is_(None),
            )
            .values(plan_json=plan)
        )


def _compiled(version: WorkflowDefinitionVersion, catalogue: Catalogue) -> dict[str, Json]:
    """Raises `Conflict` with everything that is missing, not only with the first of it."""
    missing = sorted(set(_missing_in(version.definition_json, catalogue)))
    if version.payload_schema_json is not None:
        faults = check_schema(version.payload_schema_json)
        missing += [f"a usable payload schema ({fault.message})" for fault in faults]
    if missing:
        raise _refusal(version, missing)
    try:
        return compile_plan(Document.model_validate(version.definition_json), catalogue)
    except ValidationError as error:
        raise _refusal(version, [str(fault["msg"]) for fault in error.errors()]) from error
    except ValueError as error:
        raise _refusal(version, [str(error)]) from error


def _missing(steps: Iterable[PlanStep], catalogue: Catalogue) -> Iterator[str]:
    for step in steps:
        yield from _missing_of(step.kind, step.config, catalogue)
        for block in step.blocks.values():
            yield from _missing(block, catalogue)


def _missing_in(document: Json, catalogue: Catalogue) -> Iterator[str]:
    """The same of a document, which may be of an older language."""
    for name in _STEP_LISTS:
        steps = document.get(name) if isinstance(document, dict) else None
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, dict):
                yield from _missing_of(step.get("type"), step.get("config"), catalogue)
            yield from _missing_in(step, catalogue)


def _missing_of(kind: Json, config: Json, catalogue: Catalogue) -> Iterator[str]:
    if kind not in AVAILABLE_KINDS:
        yield f"step kind {kind}"
    elif kind == "action.call" and isinstance(config, Mapping):
        action, version = config.get("actionId"), config.get("version")
        if isinstance(version, int) and catalogue.find(str(action), version) is None:
            yield f"action {action}@{version}"


def _refusal(version: WorkflowDefinitionVersion, missing: list[str]) -> Conflict:
    return Conflict(
        f"Version {version.version} cannot be executed here. Missing: {', '.join(missing)}.",
        code="NOT_EXECUTABLE",
        details={"missing": list(missing)},
    )
