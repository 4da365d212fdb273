"""The ledger of action calls: which call has been made, by whom, and what it gave (rules.md 3).

One row a call, found by action, version and idempotency key; the same for every attempt. A
SUCCEEDED row is final: whoever calls again gets its output. A STARTED one belongs to the holder of
its lease token, who alone may close it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert

from engine.runs.status import OPEN, InvocationStatus
from engine.store.invocations import WorkflowActionInvocation
from engine.store.projection import RUNS
from engine.store.upsert import insert_for

LEDGER = cast(Table, WorkflowActionInvocation.__table__)

_LONGEST_KEY = 200
"""Characters. A longer key of an author is hashed: PostgreSQL indexes at most 2,700 bytes."""


@dataclass(frozen=True, slots=True)
class Call:
    """Which call: the same for every attempt of it, and after a lost worker."""

    run_id: str
    path: str
    occurrence: str
    action: str
    version: int
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    invocation_id: str
    status: str
    output: Any
    lease_owner: str | None
    lease_expires_at: datetime | None
    run_id: str
    occurrence: str | None
    error: Any


def call_key(run_id: str, occurrence: str, action: str, version: int, own: str | None) -> str:
    """The author's key as it is; else one made of run, occurrence and action."""
    if own is not None and len(own) <= _LONGEST_KEY:
        return own
    text = "\n".join(
        ("author", own) if own is not None else (run_id, occurrence, action, str(version))
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def find(session: Session, call: Call, *, lock: bool = False) -> Entry | None:
    """The call's row. `lock`: nobody else decides on it before this transaction ends."""
    statement = select(
        LEDGER.c.invocation_id,
        LEDGER.c.status,
        LEDGER.c.output_json.label("output"),
        LEDGER.c.lease_owner,
        LEDGER.c.lease_expires_at,
        LEDGER.c.run_id,
        LEDGER.c.occurrence,
        LEDGER.c.error_json.label("error"),
    ).where(
        LEDGER.c.action_id == call.action,
        LEDGER.c.action_version == call.version,
        LEDGER.c.idempotency_key == call.key,
    )
    row = session.execute(statement.with_for_update() if lock else statement).one_or_none()
    return None if row is None else Entry(**row._mapping)


@dataclass(frozen=True, slots=True)
class Noted:
    """The outcome is written. The run's row is locked against its end."""

    cancel_requested: bool


def note_outcome(
    session: Session,
    call: Call,
    status: InvocationStatus,
    now: datetime,
    *,
    started_at: datetime,
    input: Any,
    output: Any = None,
    error: dict[str, Any] | None = None,
) -> Noted | None:
    """Write how a call ended that held no lease, if its run is still open: in one statement.

    None: the run is over, or the call had succeeded before; nothing is written.
    """
    row = _row(call, now) | {
        "status": status,
        "attempt": 1,
        "epoch": 1,
        "started_at": started_at,
        "completed_at": now,
        "input_json": input,
        "output_json": output,
        "error_json": error,
        "error_message": None if error is None else error["message"],
        "the_run": call.run_id,
    }
    statement = _outcome_statement(session.get_bind().dialect.name)
    noted = session.execute(statement, row).one_or_none()
    return None if noted is None else Noted(noted.cancel_requested_at is not None)


_OUTCOME = (
    "status",
    "started_at",
    "completed_at",
    "input_json",
    "output_json",
    "error_json",
    "error_message",
)
_NEW = (
    "invocation_id",
    "run_id",
    "step_path",
    "occurrence",
    "action_id",
    "action_version",
    "idempotency_key",
    "created_at",
    "attempt",
    "epoch",
    *_OUTCOME,
)


@lru_cache
def _outcome_statement(dialect: str) -> Insert:
    the_run = bindparam("the_run", type_=RUNS.c.run_id.type)
    if_open = (
        select(*(bindparam(name, type_=LEDGER.c[name].type) for name in _NEW))
        .where(RUNS.c.run_id == the_run, RUNS.c.status.in_(OPEN))
        .with_for_update(read=True, of=RUNS)
    )
    cancel_requested_at = (
        select(RUNS.c.cancel_requested_at).where(RUNS.c.run_id == the_run).scalar_subquery()
    )
    statement = insert_for(dialect, LEDGER).from_select(_NEW, if_open)
    return cast(
        Insert,
        statement.on_conflict_do_update(
            index_elements=_UNIQUE,
            set_={name: statement.excluded[name] for name in _OUTCOME}
            | {"attempt": LEDGER.c.attempt + 1, "lease_owner": None, "lease_expires_at": None},
            where=LEDGER.c.status != InvocationStatus.SUCCEEDED,
        ).returning(LEDGER.c.invocation_id, cancel_requested_at.label("cancel_requested_at")),
    )


def claim_new(
    session: Session, call: Call, token: str, expires_at: datetime, now: datetime, input: Any
) -> str | None:
    """The invocation id of a call that nobody has made before; None: there is a row."""
    row = _row(call, now) | {
        "status": InvocationStatus.STARTED,
        "lease_owner": token,
        "lease_expires_at": expires_at,
        "started_at": now,
        "input_json": input,
    }
    return session.execute(
        _claim_statement(session.get_bind().dialect.name), row
    ).scalar_one_or_none()


@lru_cache
def _claim_statement(dialect: str) -> Insert:
    statement = insert_for(dialect, LEDGER).on_conflict_do_nothing(index_elements=_UNIQUE)
    return cast(Insert, statement.returning(LEDGER.c.invocation_id))


def take_over(
    session: Session, invocation_id: str, token: str, expires_at: datetime, now: datetime
) -> None:
    """Claim a row that is there; the caller has locked it and found that it may."""
    session.execute(
        update(LEDGER)
        .where(LEDGER.c.invocation_id == invocation_id)
        .values(
            status=InvocationStatus.STARTED,
            attempt=LEDGER.c.attempt + 1,
            lease_owner=token,
            lease_expires_at=expires_at,
            started_at=now,
            completed_at=None,
            error_json=None,
            error_message=None,
        )
    )


def extend_lease(session: Session, invocation_id: str, token: str, expires_at: datetime) -> bool:
    """False: the lease has been taken by somebody else, or the row is closed."""
    return _touched(
        session.execute(
            update(LEDGER).where(*_held(invocation_id, token)).values(lease_expires_at=expires_at)
        )
    )


def close(
    session: Session,
    invocation_id: str,
    token: str,
    status: InvocationStatus,
    now: datetime,
    *,
    output: Any = None,
    error: dict[str, Any] | None = None,
) -> bool:
    """Compare and set on the lease token. False: the lease was lost; nothing is written."""
    return _touched(
        session.execute(
            update(LEDGER)
            .where(*_held(invocation_id, token))
            .values(
                status=status,
                output_json=output,
                error_json=error,
                error_message=None if error is None else error["message"],
                completed_at=now,
                lease_owner=None,
                lease_expires_at=None,
            )
        )
    )


_UNIQUE = [LEDGER.c.action_id, LEDGER.c.action_version, LEDGER.c.idempotency_key]


def _row(call: Call, now: datetime) -> dict[str, Any]:
    return {
        "invocation_id": str(uuid4()),
        "run_id": call.run_id,
        "step_path": call.path,
        "occurrence": call.occurrence,
        "action_id": call.action,
        "action_version": call.version,
        "idempotency_key": call.key,
        "created_at": now,
    }


def _held(invocation_id: str, token: str) -> list[Any]:
    return [
        LEDGER.c.invocation_id == invocation_id,
        LEDGER.c.lease_owner == token,
        LEDGER.c.status == InvocationStatus.STARTED,
    ]


def _touched(result: Any) -> bool:
    return bool(cast("CursorResult[Any]", result).rowcount)
