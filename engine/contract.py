"""What the producer of runs and the worker agree on: one queue, names, and the data on the wire.

Both sides import this module and nothing else of each other, so that they cannot disagree
(PRD goal 2). Nothing here can be set from outside. The wire classes are plain dataclasses of JSON
types; times are integer milliseconds since the epoch, UTC. Fields are only ever added, with a
default: running histories hold older shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

Json = Any
"""A JSON value: None, bool, int, float, str, list[Json] or dict[str, Json]."""

TASK_QUEUE: Final = "run-studio"
WORKFLOW_TYPE: Final = "RunWorkflow"
RUNTIME_SEMANTICS: Final = "2026-11-23.v1"
"""Kept in each run's row: which rules of the language it was started under."""

ACTIVITY_CLAIM_RUN: Final = "claim_run"
ACTIVITY_PERFORM_ACTION: Final = "perform_action"
ACTIVITY_RECORD_PROGRESS: Final = "record_progress"
ACTIVITY_OPEN_WAIT: Final = "open_wait"
ACTIVITY_FETCH_VALUE: Final = "fetch_value"
ACTIVITY_STORE_CHECKPOINT: Final = "store_checkpoint"
ACTIVITY_FINISH_RUN: Final = "finish_run"

QUERY_POSITION: Final = "position"
"""Answers {"path": str | None, "steps": int}: where the interpreter stands."""

TIMING_KEY: Final = "$timing"
"""Beside every answer of an activity, and second of its failure's details: when it was asked for
and when it answered, [ms, ms] by the worker's clock. Its wait for a free slot is in it."""

REFERENCE_KEY: Final = "$ref"
"""An output over 64 KiB travels as {"$ref": value_id, "bytes": n} (docs/rules.md 4)."""


def temporal_workflow_id(run_id: str) -> str:
    """The Temporal workflow id of a run; a run is addressed by it alone (docs/rules.md 1)."""
    return f"run-{run_id}"


def workflow_id_of(run_id: str, stored: str | None) -> str:
    """The id under which Temporal knows a run: its row's, else the one that it is started by.

    Rows from before the cut-over have one of their own (docs/rules.md 6).
    """
    return stored or temporal_workflow_id(run_id)


@dataclass(frozen=True, slots=True)
class RunStart:
    """The workflow's input. The payload is not in it: the claim's answer brings it."""

    run_id: str
    ordinal: int = 0
    """Which execution of the run this is: continue-as-new adds one."""
    checkpoint: Json = None
    """Interpreter state to go on from; a {"$ref"} when it is over 128 KiB."""
    wants_scopes: bool = False
    """A parent's output mapping reads the final scopes: the result is to bring them."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """The workflow's result: the run's terminal status, or NOT_CLAIMED where the row refused."""

    status: str
    scopes: dict[str, Json] | None = None
    """Asked for by `wants_scopes`: what `engine.interpreter.final_scopes` packs, or a {"$ref"}."""


@dataclass(frozen=True, slots=True)
class Claim:
    run_id: str
    claimed_by: str
    """The first execution run id: the same through continue-as-new and reset."""
    ordinal: int = 0
    checkpoint: Json = None
    """The {"$ref"} to resolve, when the workflow was continued with one."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim's answer. `granted` false: end at once and write nothing."""

    granted: bool
    plan: dict[str, Json] | None = None
    """A {"$ref"} when it is over 512 KiB."""
    payload: Json = None
    meta: dict[str, Json] = field(default_factory=dict)
    system: dict[str, Json] = field(default_factory=dict)
    """runId, workflowId, workflowVersion, tenantId, definitionHash, runtimeSemanticsVersion."""
    checkpoint: Json = None
    counted: bool = False
    """A quota is configured: wait, task and call steps are admitted before they begin."""
    error: dict[str, Json] | None = None
    """Granted, but there is nothing to execute (no plan can be made): the run fails with this."""


@dataclass(frozen=True, slots=True)
class Guard:
    """When a projection was written, in the workflow's own order (docs/rules.md 4)."""

    ordinal: int
    history: int
    """Length of the history when the current workflow task started."""
    counter: int
    """Counts batches within the execution."""
    completed_history: int
    """`history` of the previous task that was completed."""
    task: int = 0
    """Milliseconds: when the current workflow task started. A task that is lost a second time adds
    nothing to the history: its repetition has the same length, and another time. 0: not known."""
    completed_task: int = 0
    """`task` of the previous task that was completed: with `completed_history`, whatever began
    since then and was written by neither that task nor this one comes from a lost one."""

    @property
    def order(self) -> tuple[int, int, int]:
        """Of two workflow tasks of a run, the later one's is greater."""
        return self.ordinal, self.history, self.task


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One row of the timeline as the interpreter saw it; key (run, occurrence, attempt)."""

    position: int
    """Order in which occurrences and attempts began, from 1."""
    step_id: str
    path: str
    iter: list[int]
    kind: str
    status: str
    attempt: int = 1
    started_at: int = 0
    completed_at: int | None = None
    input: Json = None
    output: Json = None
    error: dict[str, Json] | None = None
    handled: bool = False
    """FAILED, but the author said to go on (onError continue, or a catch took it)."""
    next_retry_at: int | None = None
    name: str | None = None

    @property
    def occurrence(self) -> str:
        return occurrence(self.path, self.iter)


def occurrence(path: str, iter: list[int]) -> str:
    """A step's path with its loop indexes: `root.steps[0].body.steps[1]#4,0`."""
    return f"{path}#{','.join(map(str, iter))}" if iter else path


@dataclass(frozen=True, slots=True)
class ClosedWait:
    """A wait that ended: its row is closed by the next activity, so that closing costs none."""

    wait_id: str
    outcome: str
    """RESOLVED or CANCELED."""
    at: int
    payload: dict[str, Json] = field(default_factory=dict)
    event_id: str | None = None
    """The event that ended it: it serves no other wait of the run."""
    task: dict[str, Json] | None = None
    """Of a human task: {status, answer?, answeredBy?, answeredById?, answeredAt?, token?}."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What happened since the last activity: carried by the next one (docs/architecture.md 3)."""

    run_id: str
    guard: Guard
    records: list[StepRecord] = field(default_factory=list)
    state: str | None = None
    """meta.state, the author's progress label, when it changed."""
    closed_waits: list[ClosedWait] = field(default_factory=list)
    """With one, the run is RUNNING again."""
    waiting: bool | None = None
    """Every concurrent branch waits now (true), or no longer does (false); null: unchanged."""
    path: str | None = None
    """Where the interpreter stands: `node_path`, written at boundaries only (docs/rules.md 3)."""
    first_position: int = 0
    """Positions above it began in the previous completed task or later."""
    sweep: bool = True
    """No activity of this workflow task has answered yet: rows of a lost one may be there."""
    repeated: bool = False
    """An activity of this workflow task has found rows of a lost one: what comes now may have been
    done before."""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """Every activity that carries a batch answers with at least this."""

    take_boundary: bool = False
    """A cancel is asked for, or the worker is leaving: complete the workflow task now."""
    run_over: bool = False
    """The row is terminal: nothing more may be executed."""
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One attempt of an action step. `input` is resolved; secrets are still references."""

    run_id: str
    batch: Batch
    position: int
    step_id: str
    path: str
    iter: list[int]
    attempt: int
    action: str
    version: int
    input: Json
    started_at: int
    timeout_ms: int = 30_000
    idempotency_key: str | None = None
    """The author's key, as text; None: the ledger key is made of run, occurrence and action."""
    retry: dict[str, Json] | None = None
    handled_by: str | None = None
    """Who takes a final failure: "continue", "catch", "item" or None (it fails the run)."""
    quick: bool = False
    """Run as a local activity: fixed in the version's plan (docs/architecture.md 3)."""
    name: str | None = None
    input_by_reference: bool = False
    """`input` is a {"$ref"} of ours: it was too large for Temporal's history."""


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """Success of an action step. A failure is an ApplicationError, see `engine.errors`."""

    output: Json = None
    took_ms: int = 0
    """Only in histories from before `TIMING_KEY`: what counts towards a boundary."""
    bytes: int = 0
    take_boundary: bool = False
    run_over: bool = False
    quota: dict[str, Json] | None = None
    """Not executed: the quota is used up; {periodStart, periodEnd, usedCount, limit}."""
    by_reference: bool = False
    """`output` is a {"$ref"} of ours, not an action's output that looks like one."""
    repeated: bool = False
    """Rows of a lost workflow task were found: see `Batch.repeated`."""
    counted: bool = False
    """A quota is configured."""


@dataclass(frozen=True, slots=True)
class ValueWanted:
    run_id: str
    value_id: str
    offset: int = 0
    """In characters of the canonical JSON text; a piece is at most 1 MiB of UTF-8."""


@dataclass(frozen=True, slots=True)
class ValuePiece:
    text: str
    next_offset: int | None = None


@dataclass(frozen=True, slots=True)
class CheckpointToStore:
    run_id: str
    batch: Batch
    checkpoint: Json


@dataclass(frozen=True, slots=True)
class Stored:
    reference: dict[str, Json] | None = None
    """{"$ref", "bytes"}."""
    run_over: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """The final projection. Once it is scheduled the outcome is decided (docs/rules.md 4)."""

    run_id: str
    batch: Batch
    status: str
    error: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    status: str
    """The status the row has: another than asked when it was terminal already."""
