"""Keys and values that workflows keep (actions store.*)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid


class WorkflowDataStore(Base):
    __tablename__ = "workflow_data_store"

    store_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[str | None] = mapped_column(Uuid)
    namespace: Mapped[str]
    key: Mapped[str]
    value: Mapped[Any] = mapped_column(Json)
    """Wrapped as {"v": value}, so that a JSON null is told from no value."""
    value_type: Mapped[str] = mapped_column(default="json", server_default="json")
    revision: Mapped[int] = mapped_column(BigInteger, default=1, server_default="1")
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    created_by_run_id: Mapped[str | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("namespace", "key"),)
