"""What a run says about itself."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.runs.status import LogLevel
from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class LogSource(StrEnum):
    RUNTIME = "runtime"
    API = "api"
    UI = "ui"
    WORKER = "worker"
    RECONCILER = "reconciler"
    COMMAND = "command"


OF_THE_RECONCILER = "source = 'reconciler'"
"""Lines that say what it has mended."""


class WorkflowRunLog(Base):
    __tablename__ = "workflow_run_logs"

    log_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    )
    tenant: Mapped[str | None] = mapped_column(Uuid)
    step_id: Mapped[str | None] = mapped_column(Uuid)
    step_path: Mapped[str | None]
    level: Mapped[str]
    message: Mapped[str]
    context_json: Mapped[Any | None] = mapped_column(Json)
    correlation_key: Mapped[str | None]
    event_name: Mapped[str | None]
    source: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    epoch: Mapped[int] = mapped_column(default=1, server_default="0")

    __table_args__ = (
        one_of("level", LogLevel),
        Index(None, "run_id", "created_at", "log_id"),
        Index(None, "run_id", "level"),
        Index(
            "ix_workflow_run_logs_mended",
            "created_at",
            sqlite_where=text(OF_THE_RECONCILER),
            postgresql_where=text(OF_THE_RECONCILER),
        ),
    )
