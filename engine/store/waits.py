"""Why a run does not go on: open and closed waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.runs.status import WaitStatus, WaitType
from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class WorkflowRunWait(Base):
    __tablename__ = "workflow_run_waits"

    wait_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    )
    tenant: Mapped[str | None] = mapped_column(Uuid)
    step_path: Mapped[str]
    wait_type: Mapped[str]
    key: Mapped[str | None]
    event_name: Mapped[str | None]
    timeout_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(default="WAITING", server_default="WAITING")
    payload: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # Since the cut-over.
    epoch: Mapped[int] = mapped_column(default=1, server_default="0")
    occurrence: Mapped[str | None]
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    release_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Quota: when an operator asked that the step try again."""
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Quota: when Temporal last took that message; done when the wait is over."""
    tellings: Mapped[int] = mapped_column(default=0, server_default="0")
    written_ordinal: Mapped[int] = mapped_column(default=0, server_default="0")
    written_history: Mapped[int] = mapped_column(default=0, server_default="0")
    written_task: Mapped[int | None] = mapped_column(BigInteger)
    """Which workflow task opened or closed it last: `engine.contract.Guard`."""

    __table_args__ = (
        one_of("status", WaitStatus),
        one_of("wait_type", WaitType),
        Index(None, "run_id", "status"),
        Index(None, "run_id", "updated_at"),
        Index(None, "wait_type", "status"),
        Index(None, "event_name", "key", "status"),
        Index(
            "ix_workflow_run_waits_key",
            "key",
            sqlite_where=text("key IS NOT NULL"),
            postgresql_where=text("key IS NOT NULL"),
            postgresql_ops={"key": "text_pattern_ops"},
        ),
    )
