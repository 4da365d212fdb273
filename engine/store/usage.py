"""How many step attempts a period has used.

One counter an installation; `tenant` is kept and not read (docs/rules.md 1, docs/authoring.md).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid


class WorkflowStepUsagePeriod(Base):
    __tablename__ = "workflow_step_usage_periods"

    period_start: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    period_end: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    tenant: Mapped[str | None] = mapped_column(Uuid)
    period_source: Mapped[str] = mapped_column(server_default="fallback_calendar")
    effective_limit: Mapped[int | None]
    """NULL: unlimited."""
    used_count: Mapped[int] = mapped_column(default=0, server_default="0")
    limit_source: Mapped[str | None]
    tier: Mapped[str | None]
    metadata_json: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("period_start < period_end", name="period_order"),
        CheckConstraint("used_count >= 0", name="used_not_negative"),
        CheckConstraint("effective_limit IS NULL OR effective_limit > 0", name="limit_positive"),
    )
