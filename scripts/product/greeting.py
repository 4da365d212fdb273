"""What `make run` prints when the product is up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GENERATED = "note it: it is not shown again, and only its hash is kept"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare.py` answered."""

    published: list[str] = field(default_factory=list)
    operators: int = 0
    email: str | None = None
    """The operator that was just made, the first one."""
    password: str | None = None
    """Only where it was generated."""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Prepared:
        return cls(**answer)


def lines(prepared: Prepared, *, url: str, temporal: str, seconds: float) -> list[str]:
    rows = [("Open", url), *_sign_in(prepared), ("Temporal", temporal)]
    rows += [("Commands", ".venv/bin/flask --help"), ("Stop", "Ctrl-C")]
    head = [f"Run Studio is up, after {seconds:.1f} s."]
    if prepared.published:
        head.append(f"Published: {', '.join(prepared.published)}")
    return ["", *head, *(f"  {label:10} {value}" for label, value in rows), ""]


def new_operator(prepared: Prepared) -> list[str]:
    """Told at once: a start that is interrupted must not swallow a password that was just made."""
    if prepared.password is None:
        return []
    return [
        f"The first operator is {prepared.email} with the password {prepared.password}",
        f"({GENERATED}).",
    ]


def _sign_in(prepared: Prepared) -> list[tuple[str, str]]:
    if prepared.email is None:
        count = prepared.operators
        who = "the operator that exists" if count == 1 else f"one of the {count} operators"
        return [("Sign in", f"as {who}; another: .venv/bin/flask operators add EMAIL --role admin")]
    if prepared.password is None:
        return [("Sign in", f"{prepared.email} with the password in ADMIN_PASSWORD")]
    return [("Sign in", prepared.email), ("Password", prepared.password)]
