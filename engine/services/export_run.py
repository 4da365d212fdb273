"""A run and every run that it called, as one signed file (docs/operating.md, Exports).

What is in it is what the pages show, redacted. The tree is walked by levels within a budget, so
that a large one keeps what stands nearest; its manifest says what was left out, and which runs were
still open. Histories are asked of Temporal when the database's transaction is over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.errors import Unavailable
from engine.runs import export_manifest
from engine.runs.export_signature import Signer
from engine.runs.redaction import MASK, POLICY_VERSION
from engine.runs.status import OPEN
from engine.services import audit
from engine.services.context import Actor, HistoryGateway, Services
from engine.services.inspect_run import OpenedRun, children_of, open_run
from engine.services.redact_run import Rules
from engine.services.run_record import Budget, Cut, related_record, run_record, time_text
from engine.store.runs import WorkflowRun
from engine.version import PRODUCT, VERSION

MOST_RUNS: Final = 500
MOST_HISTORY_BYTES: Final = 64 * 1024 * 1024
EXPORT_HISTORY: Final = "workflow_run_export_history"
"""The operation in the audit log."""


@dataclass(slots=True)
class _Tree:
    root: dict[str, Json] = field(default_factory=dict)
    open_runs: list[str] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    executions: list[tuple[str, str]] = field(default_factory=list)
    """(run id, Temporal workflow id) of each run in it that Temporal was to execute."""
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Histories:
    found: list[Json]
    missing: list[Json]


def export_run(
    services: Services, run_id: str, actor: Actor, signer: Signer, *, histories: bool = False
) -> dict[str, Json]:
    """Raises `NotFound`; with `histories`, `Unavailable` when Temporal does not answer."""
    rules = Rules.of(services)
    with services.store.reading() as session:
        tree = _collect(session, run_id, rules)
    body, facts = dict(tree.root), _facts(services, run_id, actor, rules, tree)
    if histories:
        if services.histories is None:
            raise Unavailable("This process is not connected to Temporal.")
        told = _histories(services.histories, tree)
        _note_in_audit(services, run_id, actor, len(told.found))
        body["histories"] = told.found
        facts["counts"]["histories"] = len(told.found)
        facts["runsWithoutHistory"] = told.missing
    return signer.signed(export_manifest.sealed(body, facts))


def _facts(
    services: Services, run_id: str, actor: Actor, rules: Rules, tree: _Tree
) -> dict[str, Json]:
    return {
        "product": {"name": PRODUCT, "version": VERSION},
        "runId": run_id,
        "exportedAt": time_text(services.now()),
        "exportedBy": actor.email or actor.source,
        "redactionPolicy": {
            "version": POLICY_VERSION,
            "mask": MASK,
            # Two files with the same were redacted by the same rules of the installation.
            "rules": export_manifest.digest([list(rules.patterns), list(rules.pointers)]),
        },
        "complete": not tree.cuts,
        "leftOut": [{"part": cut.part, "kept": cut.kept, "of": cut.of} for cut in tree.cuts],
        "openRuns": list(tree.open_runs),
        "counts": dict(tree.counts),
    }


def _collect(session: Session, run_id: str, rules: Rules) -> _Tree:
    root = open_run(session, run_id, rules)
    budget, tree = Budget(), _Tree()
    waiting = deque([(root, "", tree.root)])
    taken = {run_id}
    while waiting:
        opened, at, record = waiting.popleft()
        record.update(run_record(opened, budget, at))
        _count(tree, opened, record)
        room = MOST_RUNS - len(taken)
        children = [child for child in children_of(opened, limit=room) if child.run_id not in taken]
        record["children"] = [related_record(child) for child in children]
        _note_children(tree, opened, at, len(children))
        for index, child in enumerate(children):
            taken.add(child.run_id)
            place = f"{at}/children/{index}"
            below = OpenedRun(session, child.run_id, rules, opened.redaction)
            waiting.append((below, place, record["children"][index]))
    tree.cuts += budget.cuts
    return tree


def _note_children(tree: _Tree, opened: OpenedRun, at: str, kept: int) -> None:
    query = select(func.count()).where(WorkflowRun.parent_run_id == opened.run.run_id)
    there = opened.session.scalar(query) or 0
    if kept < there:
        tree.cuts.append(Cut(f"{at}/children", kept, there))


def _count(tree: _Tree, opened: OpenedRun, record: dict[str, Json]) -> None:
    run = opened.run
    if run.status in OPEN:
        tree.open_runs.append(run.run_id)
    if run.temporal_workflow_id is not None:
        tree.executions.append((run.run_id, run.temporal_workflow_id))
    found = {"runs": 1} | {name: len(v) for name, v in record.items() if isinstance(v, list)}
    for name, number in found.items():
        if name != "children":
            tree.counts[name] = tree.counts.get(name, 0) + number


def _histories(gateway: HistoryGateway, tree: _Tree) -> _Histories:
    """Of every execution of every run in the file; which are not there is said."""
    found, missing, room = list[Json](), list[Json](), MOST_HISTORY_BYTES
    for run_id, workflow_id in tree.executions:
        of_run = gateway.histories_of(workflow_id, most_bytes=room)
        if not of_run:
            why = "Temporal has none" if of_run is not None else "the file would be too large"
            missing.append({"runId": run_id, "why": why})
            continue
        found += [{"runId": run_id, **history.as_json()} for history in of_run]
        room -= sum(history.size for history in of_run)
    return _Histories(found, missing)


def _note_in_audit(services: Services, run_id: str, actor: Actor, histories: int) -> None:
    with services.store.writing() as session:
        audit.record(
            session,
            actor,
            EXPORT_HISTORY,
            services.now(),
            record_type=audit.RUN,
            record_id=run_id,
            details={"histories": histories},
        )
