"""Runs that an operator has chosen, and what is done to many of them at once.

The ids of a bulk operation are written down when it is drafted and do not change afterwards: what
was shown in the dry run is what is done, whatever a filter would find by then.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, UtcDateTime, Uuid, one_of


class BulkKind(StrEnum):
    CANCEL = "cancel"
    REPLAY = "replay"


class BulkStatus(StrEnum):
    DRAFT = "DRAFT"
    """Its runs are fixed; nothing has been done."""
    STARTED = "STARTED"
    DONE = "DONE"
    """Every item has been tried or skipped; what came of it, the runs' own rows say."""


class ItemState(StrEnum):
    PENDING = "PENDING"
    REQUESTED = "REQUESTED"
    """Begun: after a crash it is repeated, which is harmless."""
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


UNSETTLED = (ItemState.PENDING, ItemState.REQUESTED)


class RunSelection(Base):
    """One run of an operator's selection, which survives paging and signing out."""

    __tablename__ = "run_selections"

    operator_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("operators.operator_id", ondelete="CASCADE"), primary_key=True
    )
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE"), primary_key=True
    )
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index(None, "run_id"),)


class BulkOperation(Base):
    __tablename__ = "bulk_operations"

    bulk_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default=BulkStatus.DRAFT, server_default="DRAFT")
    query: Mapped[str | None]
    """The filter that its runs matched when they were fixed; NULL: they were chosen one by one."""
    left_out: Mapped[bool] = mapped_column(default=False, server_default=false())
    """More were meant than one operation takes."""
    reason: Mapped[str | None]
    operator_id: Mapped[str | None] = mapped_column(Uuid)
    operator_email: Mapped[str | None]
    """As it was then: it outlives the operator."""
    source_ip: Mapped[str | None]
    held_because: Mapped[str | None]
    """Why the rest waits, in words."""
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None]
    """The worker that performs it."""
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("kind", BulkKind),
        one_of("status", BulkStatus),
        Index(None, "status", "updated_at"),
        Index(None, "created_at"),
    )


class BulkItem(Base):
    """One run of an operation. Runs that are deleted later leave their receipt here."""

    __tablename__ = "bulk_items"

    item_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    """Also the one-time token of a replay: repeated, the item gives the same run."""
    bulk_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("bulk_operations.bulk_id", ondelete="CASCADE")
    )
    position: Mapped[int]
    run_id: Mapped[str] = mapped_column(Uuid)
    state: Mapped[str] = mapped_column(default=ItemState.PENDING, server_default="PENDING")
    code: Mapped[str | None]
    message: Mapped[str | None]
    """Why it was skipped or failed, in words; nothing of a payload."""
    new_run_id: Mapped[str | None] = mapped_column(Uuid)
    requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("state", ItemState),
        UniqueConstraint("bulk_id", "run_id"),
        Index(None, "bulk_id", "position"),
        Index(None, "bulk_id", "state", "position"),
        Index(None, "run_id"),
    )
