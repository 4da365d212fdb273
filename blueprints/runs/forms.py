"""What the forms of runs bring, checked as far as it needs no database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from werkzeug.datastructures import MultiDict

from engine.errors import Invalid

SHORTEST_REASON: Final = 3
_LONGEST_POSITION: Final = 18
_TRUE: Final = {"1", "true", "on", "yes"}


@dataclass(frozen=True, slots=True)
class ReasonForm:
    """Cancel and Replay ask why: at least three characters, kept in the run and the audit log."""

    reason: str = ""
    force: bool = False
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, form: MultiDict[str, str]) -> ReasonForm:
        reason = form.get("reason", "")
        return cls(reason, form.get("force", "").lower() in _TRUE, reason_problems(reason))

    def refused(self, error: Invalid) -> ReasonForm:
        """As it was sent, with what `error` says beside the reason."""
        said = " ".join(problem.message for problem in error.problems)
        return replace(self, problems={"reason": said})


def reason_problems(reason: str) -> dict[str, str]:
    if len(reason.strip()) < SHORTEST_REASON:
        return {"reason": f"Say why, in at least {SHORTEST_REASON} characters."}
    return {}


def position(text: str | None) -> int | None:
    """A place in the timeline; what is none is as if nothing had been asked."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_POSITION:
        return None
    return int(text)
