"""What changed between the version that a run executed and the others that may be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from engine.contract import Json
from engine.definitions.differences import DocumentDifferences, compare_documents
from engine.runs.fingerprint import Fingerprints
from engine.runs.json_diff import Side
from engine.runs.redaction import Redactor
from engine.services.inspect_run import OpenedRun
from engine.services.redact_run import Rules, RunRedaction
from engine.store.definitions import WorkflowDefinitionVersion

COMPARED: Final = 10
"""Versions whose changes are told at once: the newest, and the one that was chosen."""


@dataclass(frozen=True, slots=True)
class OfferedVersion:
    version: int
    changes: DocumentDifferences | None = None
    """None: it is not compared, or the run's own version is gone."""


def offered_versions(
    opened: OpenedRun, rules: Rules, fingerprints: Fingerprints, chosen: int | None = None
) -> tuple[OfferedVersion, ...]:
    """All versions but the run's own, newest first."""
    version, own = WorkflowDefinitionVersion, opened.run.workflow_version
    numbers = opened.session.scalars(
        select(version.version)
        .where(version.workflow_id == opened.run.workflow_id)
        .order_by(version.version.desc())
    ).all()
    others = [number for number in numbers if number != own]
    compared = {*others[:COMPARED], *([chosen] if chosen in others else [])}
    documents = _documents(opened, {own, *compared} if compared else set())
    sides = {
        number: document_of(document, rules, opened.redaction)
        for number, document in documents.items()
    }
    return tuple(
        OfferedVersion(
            number,
            compare_documents(sides[own], sides[number], fingerprints.equal)
            if own in sides and number in sides
            else None,
        )
        for number in others
    )


def document_of(document: Json, rules: Rules, redaction: RunRedaction) -> Side:
    """A version's document as it is, and as it may be shown to who looks at the run."""
    by_key = Redactor(rules.patterns).redact(document).value
    return Side(document, redaction.value(by_key).value)


def _documents(opened: OpenedRun, numbers: set[int]) -> dict[int, Json]:
    version = WorkflowDefinitionVersion
    rows = opened.session.execute(
        select(version.version, version.definition_json).where(
            version.workflow_id == opened.run.workflow_id, version.version.in_(numbers)
        )
    )
    return {row.version: row.definition_json for row in rows}
