"""Which workers live, and who holds a lease (docs/rules.md 6 and 11)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, one_of


class WorkerState(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class WorkerHeartbeat(Base):
    """Written by each worker every few seconds: Temporal lists a killed worker for 300 s."""

    __tablename__ = "worker_heartbeats"

    identity: Mapped[str] = mapped_column(primary_key=True)
    """`<pid>@<host>-<random>`, the identity that Temporal shows too."""
    state: Mapped[str]
    task_queue: Mapped[str]
    namespace: Mapped[str]
    registry_fingerprint: Mapped[str]
    """SHA-256 of the registered actions and kinds: equal to the web's, or the runs may fail."""
    registry_json: Mapped[Any | None] = mapped_column(Json)
    slots: Mapped[int]
    slots_used: Mapped[int] = mapped_column(default=0, server_default="0")
    release: Mapped[str | None]
    unready_because: Mapped[str | None]
    """Why it takes nothing at the moment; None: it is ready."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    __table_args__ = (one_of("state", WorkerState),)


class Handshake(Base):
    """What the web processes know to exist: a worker compares its own actions with it."""

    __tablename__ = "handshakes"

    registry_fingerprint: Mapped[str] = mapped_column(primary_key=True)
    release: Mapped[str] = mapped_column(primary_key=True)
    registry_json: Mapped[Any | None] = mapped_column(Json)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """Written by each web process once a minute; equal ones share a row."""


class Lease(Base):
    """A named lease: one worker at a time does what it names (the reconciler)."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str | None]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_pass_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_pass_json: Mapped[Any | None] = mapped_column(Json)
    """What the last pass saw and mended."""
