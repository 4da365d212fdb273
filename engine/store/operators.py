"""Who may sign in, and who is signed in. A changed role takes effect at the next request."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, true
from sqlalchemy.orm import Mapped, mapped_column

from engine.runs.roles import Role
from engine.store.base import Base, UtcDateTime, Uuid, one_of


class Operator(Base):
    __tablename__ = "operators"

    operator_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    """Lower-case."""
    password_hash: Mapped[str | None]
    """scrypt, as werkzeug.security writes it; NULL for who signs in elsewhere."""
    role: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (one_of("role", Role),)


class OperatorSession(Base):
    """A signed-in browser. The cookie holds a token of which only the hash is kept here."""

    __tablename__ = "operator_sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the token, in hex."""
    operator_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("operators.operator_id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    source_ip: Mapped[str | None]
