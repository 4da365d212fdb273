"""Passwords: what is accepted as one, and scrypt."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

from engine.errors import Problem
from engine.store.base import storable

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 1024


def problems(password: str, email: str, *, min_length: int = MIN_LENGTH) -> list[Problem]:
    if len(password) < min_length:
        return [Problem("password", f"A password has at least {min_length} characters.")]
    if len(password) > MAX_LENGTH:
        return [Problem("password", f"A password has at most {MAX_LENGTH} characters.")]
    if not storable(password):
        return [Problem("password", "This password holds characters that cannot be kept.")]
    if password.casefold() == email.casefold():
        return [Problem("password", "The email address is no password.")]
    return []


def hashed(password: str) -> str:
    return generate_password_hash(password, method="scrypt")


def matches(password_hash: str | None, password: str) -> bool:
    """Is it the password of this hash? Takes as long where there is no hash to compare with."""
    typed = password[: MAX_LENGTH + 1] if storable(password) else ""
    accepted = check_password_hash(password_hash or _nobodys(), typed)
    return accepted and password_hash is not None


@lru_cache
def _nobodys() -> str:
    return hashed("")
