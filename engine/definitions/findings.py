"""What a publish check has to say: the fault, its place, and what to do (docs/authoring.md)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.contract import Json

ROOT = "root"
"""The step path of what concerns the document and no step."""


class Severity(StrEnum):
    ERROR = "error"
    """The document is not published."""
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    step_path: str
    step_id: str | None
    code: str
    """Stable; those of the original keep its names."""
    message: str
    suggestion: str | None = None

    def as_data(self) -> dict[str, Json]:
        """{severity, stepPath, stepId?, code, message, suggestion?}."""
        data: dict[str, Json] = {
            "severity": self.severity.value,
            "stepPath": self.step_path,
            "stepId": self.step_id,
            "code": self.code,
            "message": self.message,
            "suggestion": self.suggestion,
        }
        return {key: value for key, value in data.items() if value is not None}


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A suggestion, when one of the known names is near."""
    by_folded = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name[:200].casefold(), by_folded, n=1, cutoff=0.6)
    return f"Did you mean {by_folded[close[0]]}?" if close else None
