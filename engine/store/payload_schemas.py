"""Payload schemas of the installation, which a document names by `payloadSchemaRef`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid


class PayloadSchema(Base):
    __tablename__ = "payload_schemas"

    ref: Mapped[str] = mapped_column(primary_key=True)
    schema_json: Mapped[Any] = mapped_column(Json)
    """JSON Schema 2020-12. A ref never changes its meaning: published versions hold a copy."""
    created_by: Mapped[str | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
