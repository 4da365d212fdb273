"""Filters of the runs list that an operator has given a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, UtcDateTime, Uuid


class SavedView(Base):
    __tablename__ = "saved_views"

    view_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    operator_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("operators.operator_id", ondelete="CASCADE")
    )
    name: Mapped[str]
    query: Mapped[str]
    """The list's query string, without a place in its pages."""
    is_default: Mapped[bool] = mapped_column(default=False, server_default=false())
    """What `/runs` opens; at most one an operator."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("operator_id", "name"),)
