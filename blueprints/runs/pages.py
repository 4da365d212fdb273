"""What the templates of runs receive: finished texts and addresses, redacted values, no rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from blueprints.runs.banner import QueuedNotice
from blueprints.runs.forms import ReasonForm
from blueprints.runs.step_links import StepLinks
from blueprints.waits.pages import AnswerPage
from engine.runs.roles import Role, allows
from engine.runs.status import RunStatus, may_become
from engine.services.glance_run import Glance
from engine.services.inspect_step import StepDetails
from engine.services.payload_proof import PayloadProof
from engine.services.run_durations import Durations
from engine.services.run_lineage import Lineage
from engine.services.run_receipts import Receipt
from engine.services.run_views import LogView, RunView, Timeline, WaitView


@dataclass(frozen=True, slots=True)
class Controls:
    """What may be done to a run, by its status and by who looks: made from TRANSITIONS."""

    cancel: bool = False
    stop: bool = False
    replay: bool = False
    answer: bool = False
    """Its tasks may be answered, its quota pauses released."""
    histories: bool = False
    """They may be exported too."""
    reveal: bool = False
    """Its payload may be seen unmasked."""
    replay_note: str | None = None
    """Why Replay is not offered to somebody who otherwise might."""

    @classmethod
    def of(cls, run: RunView, glance: Glance, role: Role, *, histories: bool = False) -> Controls:
        """`histories`: this process can get them from Temporal."""
        if not allows(role, Role.OPERATOR):
            return cls()
        ends = may_become(run.status, RunStatus.CANCELED)
        note = None
        if run.workflow_paused:
            note = "Replay is not offered: the workflow is paused."
        elif not run.workflow_published:
            note = "Replay is not offered: the workflow is not published."
        return cls(
            cancel=ends and run.cancel is None,
            stop=ends and glance.stop_offered,
            replay=note is None,
            answer=ends,
            histories=histories and allows(role, Role.ADMIN),
            reveal=allows(role, Role.ADMIN),
            replay_note=note,
        )


@dataclass(frozen=True, slots=True)
class RunPage:
    run: RunView
    controls: Controls
    lineage: Lineage | None
    timeline: Timeline
    waits: tuple[WaitView, ...]
    task: AnswerPage | None
    """The form of the task that has waited longest, for who may answer it."""
    logs: tuple[LogView, ...]
    more_logs: bool
    polls: bool
    worker_fresh: bool
    temporal_url: str | None
    durations: Durations
    links: StepLinks
    seen_at: datetime
    """When the durations of a run that goes on were taken; a script counts on from there."""
    reloads: bool = True
    """Without a script: the page reloads itself while the run goes on."""
    earlier: Timeline | None = None
    step: str | None = None
    """Key of the step that the address asks for: it is shown open, and with all of it."""
    details: StepDetails | None = None
    """Of that step; None: none is asked for, or the run has no such one."""
    form: ReasonForm = field(default_factory=ReasonForm)
    receipts: tuple[Receipt, ...] = ()
    message: str | None = None
    """What came of the last button that was pressed, when it did not work."""
    why: QueuedNotice | None = None
    """Why it does not go on, where it has begun; before that the banner tells."""
    proof: PayloadProof | None = None
    proofs: Mapping[str, PayloadProof] = field(default_factory=dict)
    """Of its replays, by run id."""
    """Of a replay: whether it has the payload of the run that it replays."""

    @property
    def cancel_too_late(self) -> bool:
        done = {RunStatus.SUCCEEDED, RunStatus.FAILED}
        return self.run.cancel is not None and self.run.status in done


@dataclass(frozen=True, slots=True)
class BannerPage:
    run_id: str
    polls: bool
    notice: QueuedNotice | None = None
