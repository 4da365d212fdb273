"""Workflow definitions and their published versions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class DefinitionStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ACTIVE = "active"
    """Historical: reads as published."""


class ValidationStatus(StrEnum):
    VALID = "valid"
    WARNING = "warning"
    ERROR = "error"


RUNNABLE = (DefinitionStatus.PUBLISHED, DefinitionStatus.ACTIVE)
"""The statuses of a definition that has a published version."""


class WorkflowDefinition(Base):
    """A workflow as an operator sees it; `key` is the document's id."""

    __tablename__ = "workflow_definitions"

    workflow_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[str | None] = mapped_column(Uuid)
    key: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    payload_schema_ref: Mapped[str]
    payload_schema_mode: Mapped[str] = mapped_column(default="pinned", server_default="pinned")
    pinned_payload_schema_ref: Mapped[str | None]
    payload_schema_provenance: Mapped[str | None]
    trigger: Mapped[Any | None] = mapped_column(Json)
    draft_definition: Mapped[Any] = mapped_column(Json)
    draft_version: Mapped[int] = mapped_column(default=1, server_default="1")
    status: Mapped[str] = mapped_column(default="draft", server_default="draft")
    validation_status: Mapped[str | None]
    validation_errors: Mapped[Any | None] = mapped_column(Json)
    validation_warnings: Mapped[Any | None] = mapped_column(Json)
    validated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    validation_context_json: Mapped[Any | None] = mapped_column(Json)
    validation_payload_schema_hash: Mapped[str | None]
    is_system: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_visible: Mapped[bool] = mapped_column(default=True, server_default=true())
    is_paused: Mapped[bool] = mapped_column(default=False, server_default=false())
    concurrency_limit: Mapped[int | None]
    auto_pause_on_failure: Mapped[bool] = mapped_column(default=False, server_default=false())
    failure_rate_threshold: Mapped[Decimal] = mapped_column(
        Numeric(5, 2), default=Decimal("0.5"), server_default="0.5"
    )
    failure_rate_min_runs: Mapped[int] = mapped_column(default=10, server_default="10")
    retention_policy_override: Mapped[Any | None] = mapped_column(Json)
    created_by: Mapped[str | None] = mapped_column(Uuid)
    updated_by: Mapped[str | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    epoch: Mapped[int] = mapped_column(default=1, server_default="0")
    """0: written before the cut-over; 1: since."""

    __table_args__ = (
        one_of("status", DefinitionStatus),
        one_of("validation_status", ValidationStatus),
        Index("uq_workflow_definitions_key", "key", unique=True),
        Index(None, "name"),
        Index(None, "updated_at"),
    )


class WorkflowDefinitionVersion(Base):
    """An immutable published version: the document, its schema and its compiled plan."""

    __tablename__ = "workflow_definition_versions"

    version_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    workflow_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_definitions.workflow_id", ondelete="CASCADE")
    )
    tenant: Mapped[str | None] = mapped_column(Uuid)
    version: Mapped[int]
    definition_json: Mapped[Any] = mapped_column(Json)
    payload_schema_json: Mapped[Any | None] = mapped_column(Json)
    validation_status: Mapped[str | None]
    validation_errors: Mapped[Any | None] = mapped_column(Json)
    validation_warnings: Mapped[Any | None] = mapped_column(Json)
    validated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    validation_context_json: Mapped[Any | None] = mapped_column(Json)
    validation_payload_schema_hash: Mapped[str | None]
    published_by: Mapped[str | None] = mapped_column(Uuid)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    definition_hash: Mapped[str | None]
    """SHA-256 of the document's canonical JSON, in hex."""
    plan_json: Mapped[Any | None] = mapped_column(Json)
    """The compiled plan (engine.definitions.plan); NULL in versions from before the cut-over."""
    epoch: Mapped[int] = mapped_column(default=1, server_default="0")

    __table_args__ = (
        one_of("validation_status", ValidationStatus),
        UniqueConstraint(
            "workflow_id", "version", name="workflow_definition_versions_workflow_version_unique"
        ),
    )
