"""A run's payload unmasked, for one person, with a reason (docs/architecture.md 4).

The one place from which a page gets a `Payload` (tests/unit/architecture/test_redaction.py). Who
reveals is in the audit log before anything is returned: where the row cannot be committed, nothing
is. A run keeps no result beside what its steps put out, so that there is none to reveal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.errors import Invalid, NotFound, Problem
from engine.runs.payload import Payload, indented
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.entered import free_text
from engine.services.values import put_back
from engine.store.runs import WorkflowRun

REVEAL: Final = "workflow_run_reveal"
"""The operation in the audit log."""


@dataclass(frozen=True, slots=True)
class Revealed:
    payload: Payload
    at: datetime
    reason: str

    @property
    def text(self) -> str:
        return indented(self.payload.value)


def reveal_run(services: Services, run_id: str, actor: Actor, reason: str | None) -> Revealed:
    """Raises `NotFound`, `Invalid` (reason). Secret references in the payload stay references."""
    said = free_text("reason", reason)
    if said is None:
        raise Invalid("Nothing is revealed without a reason.", [Problem("reason", "Say why.")])
    now = services.now()
    with services.store.writing() as session:
        run = session.get(WorkflowRun, run_id)
        if run is None:
            raise NotFound("There is no such run.", code="RUN_NOT_FOUND")
        audit.record(
            session,
            actor,
            REVEAL,
            now,
            record_type=audit.RUN,
            record_id=run_id,
            details={"revealed": ["payload"], "reason": said},
        )
        payload = Payload(put_back(session, run_id, run.input_json))
    return Revealed(payload, now, said)
