"""A run's payload, as it is and as it is shown: two types that mypy keeps apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from engine.contract import Json
from engine.runs import strict_json


def indented(value: Json) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Payload:
    """What a run is started with. `Redactor.redact` makes what may be shown of it.

    Rendered by `engine.services.reveal_run` alone.
    """

    value: Json

    @classmethod
    def parse(cls, text: str | bytes) -> Payload:
        """Raises `Invalid` for anything that strict JSON refuses."""
        return cls(strict_json.parse(text))

    @classmethod
    def of(cls, value: Json) -> Payload:
        """Raises `Invalid`, as `parse` does."""
        return cls(strict_json.normal(value))

    @property
    def canonical(self) -> str:
        return strict_json.canonical(self.value)

    @property
    def bytes(self) -> int:
        return strict_json.byte_length(self.value)


@dataclass(frozen=True, slots=True)
class RedactedPayload:
    """A value with everything masked that must not be seen: the only thing a page may hold."""

    value: Json

    @property
    def text(self) -> str:
        return indented(self.value)

    @property
    def shown_hash(self) -> str:
        """Tells whether what was shown is what would be shown now (docs/rules.md 8)."""
        return hashlib.sha256(strict_json.canonical(self.value).encode()).hexdigest()
