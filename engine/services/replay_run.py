"""Replaying a run: a new run of the same workflow with the old run's payload (docs/rules.md 8).

Unedited, nothing of the payload has left the server: the new run gets the original, unredacted one.
Edited, what the operator changed of the redacted text is carried over to the original. The old row
is not touched.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.errors import Conflict, NotFound
from engine.runs import replay, strict_json
from engine.runs.payload import Payload, RedactedPayload
from engine.services.context import Actor, Services
from engine.services.entered import free_text, run_id_of
from engine.services.inspect_run import open_run
from engine.services.launch_run import Launched, LaunchRequest, launch_published_workflow_run
from engine.services.redact_run import Rules
from engine.store.runs import WorkflowRun


def replay_run(
    services: Services,
    run_id: str,
    actor: Actor,
    reason: str | None,
    payload_text: str | None = None,
    shown: str | None = None,
    version: int | None = None,
    token: str | None = None,
) -> Launched:
    """Launch a replay. `payload_text`: the edited redacted text; None: the original payload.

    `shown`: hash of what the operator was shown (`RedactedPayload.shown_hash`). `version`: None for
    the old run's. Raises `NotFound`, `Conflict` of code SHOWN_CHANGED when something else would be
    shown now, `Invalid` (reason; text; a mask that stands for nothing), and what a launch raises.
    """
    run_id = run_id_of(run_id)
    said = free_text("reason", reason)
    with services.store.reading() as session:
        old = session.get(WorkflowRun, run_id)
        if old is None:
            raise NotFound("There is no such run.", code="RUN_NOT_FOUND")
        redacted = shown_payload(services, session, old)
    original = Payload({} if old.input_json is None and old.epoch == 0 else old.input_json)
    payload = _payload(original, redacted, payload_text, shown)
    return launch_published_workflow_run(
        services,
        LaunchRequest(
            workflow_key=None,
            workflow_id=old.workflow_id,
            payload=payload,
            actor=actor,
            version=old.workflow_version if version is None else version,
            token=token,
            trigger_metadata={"replayOfRunId": run_id, "reason": said},
            replay_of_run_id=run_id,
            reason=said,
        ),
    )


def _payload(
    original: Payload, redacted: RedactedPayload, text: str | None, shown: str | None
) -> Payload:
    if text is None:
        return original
    edited = strict_json.parse(text)
    if strict_json.canonical(edited) == strict_json.canonical(redacted.value):
        return original
    if shown != redacted.shown_hash:
        raise Conflict(
            "What is masked in this payload has changed since it was shown to you. Your text is "
            "kept below; compare it with the payload as it is shown now.",
            code="SHOWN_CHANGED",
        )
    return replay.merge(original, redacted, edited)


def shown_payload(services: Services, session: Session, run: WorkflowRun) -> RedactedPayload:
    """What the replay form shows, and what `shown` is the hash of.

    By the rules alone: values that only the run's steps have sealed are not looked for, so that
    what is shown of a run that goes on does not change under the operator's hands.
    """
    opened = open_run(session, run.run_id, Rules.of(services))
    return opened.redaction.payload(run.input_json)
