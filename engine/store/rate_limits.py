"""Counters of rate limits, shared by all web processes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, UtcDateTime


class RateLimitCounter(Base):
    __tablename__ = "rate_limit_counters"

    bucket: Mapped[str] = mapped_column(primary_key=True)
    """What is limited and for whom: `sign-in:<ip>`, `launch:<operator>`."""
    window_start: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    used: Mapped[int] = mapped_column(default=0, server_default="0")
