"""A dry run of a document, published or not: the interpreter itself, with stubs for the world.

Reads what publishing would check the document against, and writes nothing. No action is called, no
event is sent, no task is opened, no run is born.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.orm import Session

from engine.contract import RUNTIME_SEMANTICS, Json
from engine.definitions.check import Finding, has_errors
from engine.definitions.compile import compile_plan
from engine.definitions.document import MAX_JSON_DEPTH, Document
from engine.definitions.walk import steps_of
from engine.errors import Invalid, NotFound, Problem
from engine.interpreter.kinds.human_task import COMPLETED
from engine.runs import strict_json
from engine.runs.payload import Payload
from engine.services import find_definitions, launch_checks, publish_definition, rate_limit
from engine.services.context import Actor, Services
from engine.services.payload_schemas import all_schemas
from engine.services.publish_definition import DocumentRefused
from engine.services.published_workflows import PublishedWorkflows
from engine.simulator import budget as limits
from engine.simulator.budget import Budget
from engine.simulator.samples import sample_of
from engine.simulator.simulate import Simulation, World, simulate

RUN_ID: Final = "00000000-0000-0000-0000-000000000000"
"""`system.runId` of every simulation."""

SIMULATIONS_PER_MINUTE: Final = 60
"""For each operator."""

_MOST: Final[dict[str, float]] = {
    "steps": limits.MAX_STEPS,
    "iterations": limits.MAX_ITERATIONS,
    "evaluations": limits.MAX_EVALUATIONS,
    "seconds": limits.MAX_SECONDS,
}


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    document: Json = None
    """None: the newest version that is published under `key`."""
    key: str | None = None
    payload: Payload | None = None
    """None: a sample of the payload schema."""
    stubs: dict[str, Json] = field(default_factory=dict)
    options: dict[str, Json] = field(default_factory=dict)
    """Of the budget: steps, iterations, evaluations, seconds."""


@dataclass(frozen=True, slots=True)
class Simulated:
    simulation: Simulation
    payload: Json
    payload_source: str
    """given, sample, or empty."""
    warnings: tuple[Finding, ...]
    unused_stubs: tuple[str, ...]

    def as_data(self) -> dict[str, Json]:
        done = self.simulation
        return {
            "status": done.status.value,
            "error": done.error,
            "trace": [entry.as_data() for entry in done.trace],
            "finalVars": done.scopes["vars"],
            "finalPayload": done.scopes["payload"],
            "finalScopes": done.scopes,
            "invocations": [one.as_data() for one in done.invocations],
            "stateLabels": done.labels,
            "evaluations": done.evaluations,
            "simulatedPayload": self.payload,
            "payloadSource": self.payload_source,
            "warnings": [finding.as_data() for finding in self.warnings],
            "unusedStubs": list(self.unused_stubs),
        }


def simulate_definition(services: Services, request: SimulationRequest, actor: Actor) -> Simulated:
    """Raises `DocumentRefused`, `Invalid` or `TooLarge` for payload, stubs and options, `TooMany`
    and, for a key that no published workflow has, `NotFound`."""
    budget = _budget(request.options)
    _admit(services, actor)
    document = _document(services, request)
    findings = publish_definition.check(services, document)
    if has_errors(findings):
        raise DocumentRefused(findings)
    parsed = Document.model_validate(document)
    with services.store.reading() as session:
        plan = compile_plan(parsed, services.catalogue, PublishedWorkflows(session))
        schemas = all_schemas(session)
    ref = parsed.payload_schema_ref
    schema = parsed.payload_schema if ref is None else schemas.get(ref)
    payload, source = _payload(services, request.payload, schema)
    simulation = simulate(
        plan,
        World(services.catalogue, services.now(), time.monotonic, request.stubs, budget),
        payload=payload,
        system=_system(parsed),
    )
    unused = sorted(request.stubs.keys() - _asked_by(document))
    return Simulated(simulation, payload, source, tuple(findings), tuple(unused))


def _admit(services: Services, actor: Actor) -> None:
    if actor.operator_id is not None:
        bucket = f"simulate:{actor.operator_id}"
        with services.store.writing() as session:
            rate_limit.count(session, bucket, SIMULATIONS_PER_MINUTE, services.now())


def _document(services: Services, request: SimulationRequest) -> Json:
    """The one that was given, else the newest that is published under the key."""
    if request.document is None:
        with services.store.reading() as session:
            return _published(session, request.key or "")
    document = strict_json.normal(request.document, max_depth=MAX_JSON_DEPTH)
    named = document.get("id") if isinstance(document, dict) else None
    if request.key is not None and named != request.key:
        problem = Problem("/definition/id", f"It is not {request.key}.", "OTHER_WORKFLOW")
        raise Invalid("The document is of another workflow.", [problem], code="OTHER_WORKFLOW")
    return document


def _published(session: Session, key: str) -> Json:
    definition = find_definitions.by_key(session, key)
    if definition is not None:
        version = find_definitions.latest_version(session, definition.workflow_id)
        if version is not None:
            return version.definition_json
    raise NotFound(f"No workflow {key[:80]!r} is published.", code="WORKFLOW_NOT_FOUND")


def _budget(options: dict[str, Json]) -> Budget:
    problems = [
        Problem(f"/options/{name}", f"A number above 0 and up to {_MOST.get(name, 0):g}.")
        if name in _MOST
        else Problem(f"/options/{name}", f"One of {', '.join(_MOST)}.")
        for name, value in options.items()
        if name not in _MOST or not _is_within(value, _MOST[name])
    ]
    if problems:
        raise Invalid("The options cannot be used.", problems, code="INVALID_OPTIONS")
    return replace(Budget(), **options)


def _is_within(value: Json, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most


def _payload(services: Services, given: Payload | None, schema: Json) -> tuple[Json, str]:
    """What the run would get, and where it came from."""
    source = "given" if given is not None else "empty" if schema is None else "sample"
    chosen = given if given is not None else Payload(sample_of(schema) or {})
    kept = launch_checks.storable_payload(services, chosen)
    if given is not None:
        launch_checks.refuse_misfit(schema, kept)
    return kept.value, source


def _system(parsed: Document) -> dict[str, Json]:
    return {
        "runId": RUN_ID,
        "workflowId": parsed.id,
        "workflowVersion": parsed.version or 1,
        "tenantId": None,
        "definitionHash": None,
        "runtimeSemanticsVersion": RUNTIME_SEMANTICS,
    }


def _asked_by(document: Json) -> set[str]:
    """Every name under which a step of the document looks for a stub."""
    names: set[str | None] = set()
    for step in steps_of(document):
        names |= {step.id, step.text("actionId"), step.text("taskType")}
        names |= {step.text("eventName"), f"workflow:{step.text('workflowId')}"}
        if step.kind == "human.task":
            names.add(COMPLETED)
    return {name for name in names if name is not None}
