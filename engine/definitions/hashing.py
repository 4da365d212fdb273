"""One hash for equal documents, however they are written."""

from __future__ import annotations

import hashlib

from engine.contract import Json
from engine.runs.strict_json import canonical


def canonical_hash(data: Json) -> str:
    """SHA-256, in hex, of the canonical JSON text."""
    return hashlib.sha256(canonical(data).encode("utf-8")).hexdigest()
