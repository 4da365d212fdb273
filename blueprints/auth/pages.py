"""What the sign-in page shows."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SignInPage:
    next: str
    email: str = ""
    message: str | None = None
    """Why it did not work."""
    problems: dict[str, str] = field(default_factory=dict)
