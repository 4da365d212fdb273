"""Who did what to one run, and who was refused: the audit log, as far as it is about the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from engine.runs.payload import RedactedPayload
from engine.services import audit
from engine.services.answer_task import OPERATION as ANSWER
from engine.services.cancel_run import OPERATION as CANCEL
from engine.services.export_run import EXPORT_HISTORY
from engine.services.inspect_run import OpenedRun
from engine.services.keyset import Cursor, newest_first, page_of
from engine.services.release_quota import OPERATION as RELEASE
from engine.services.reveal_run import REVEAL
from engine.store.audit import AuditLog, AuditOutcome

PAGE_SIZE: Final = 50
_WORDS: Final = {
    "workflow_run_start": ("started it", "a start"),
    "workflow_run_replay": ("started it as a replay", "a replay"),
    CANCEL: ("asked for its cancellation", "a cancel"),
    EXPORT_HISTORY: ("exported it with its history", "an export with its history"),
    REVEAL: ("revealed the payload", "a reveal of the payload"),
    ANSWER: ("answered its task", "an answer to its task"),
    RELEASE: ("released it from a quota pause", "a release from its quota pause"),
}
"""By operation: what somebody did, and what they wanted."""


@dataclass(frozen=True, slots=True)
class AuditView:
    audit_id: str
    at: datetime
    operation: str
    outcome: AuditOutcome
    who: str | None
    """The operator's email as it was then; None: nobody who signed in."""
    source: str
    source_ip: str | None
    details: RedactedPayload | None

    @property
    def words(self) -> str | None:
        """What they did, to be read after their name; None: the operation says it alone."""
        if self.operation not in _WORDS:
            return None
        did, wanted = _WORDS[self.operation]
        return {
            AuditOutcome.DONE: did,
            AuditOutcome.DENIED: f"was refused {wanted}",
            AuditOutcome.FAILED: f"tried {wanted}, which failed",
        }[self.outcome]


def audit_trail(
    opened: OpenedRun, cursor: Cursor | None = None
) -> tuple[tuple[AuditView, ...], Cursor | None]:
    """One page, newest first, and where the next begins. `opened` must have learned."""
    query = (
        select(AuditLog)
        .where(AuditLog.record_type == audit.RUN, AuditLog.record_id == opened.run.run_id)
        .limit(PAGE_SIZE + 1)
    )
    query = newest_first(query, AuditLog.at, AuditLog.audit_id, cursor)
    rows = opened.session.scalars(query).all()
    kept, older = page_of(rows, PAGE_SIZE, lambda row: Cursor(row.at, row.audit_id))
    return tuple(_view(row, opened) for row in kept), older


def _view(row: AuditLog, opened: OpenedRun) -> AuditView:
    details = row.details_json
    return AuditView(
        audit_id=row.audit_id,
        at=row.at,
        operation=row.operation,
        outcome=AuditOutcome(row.outcome),
        who=row.operator_email,
        source=row.source,
        source_ip=row.source_ip,
        details=opened.redaction.value(details) if details else None,
    )
