"""What the templates of bulk operations receive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.services.follow_bulk import PAGE_SIZE, BulkView, ItemView
from engine.services.forecast_bulk import Forecast
from engine.services.look_ahead import Ahead
from engine.store.bulk import BulkKind, BulkStatus

_VERBS: Final = {BulkKind.CANCEL: "Cancel", BulkKind.REPLAY: "Replay"}
_DOING: Final = {BulkKind.CANCEL: "Canceling", BulkKind.REPLAY: "Replaying"}


@dataclass(frozen=True, slots=True)
class Skipped:
    says: str
    count: int


@dataclass(frozen=True, slots=True)
class DryRun:
    acting: int
    skipped: tuple[Skipped, ...]
    """Why, and how many; the most frequent first."""
    rows: tuple[Forecast, ...]
    """One page of them."""
    again: tuple[tuple[str, int], ...] = ()
    """Side effects of all runs together that happen once more."""

    @classmethod
    def of(cls, found: Sequence[Forecast], page: int) -> DryRun:
        why = Counter(one.says for one in found if not one.acts)
        again: Counter[str] = Counter()
        for one in found:
            again.update(dict(one.again))
        return cls(
            acting=sum(one.acts for one in found),
            skipped=tuple(Skipped(says, count) for says, count in why.most_common()),
            rows=tuple(found[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]),
            again=tuple(again.most_common()),
        )


@dataclass(frozen=True, slots=True)
class BulkPage:
    bulk: BulkView
    page: int
    mine: bool
    """Whoever looks has drafted it."""
    dry_run: DryRun | None = None
    ahead: Ahead | None = None
    per_minute: int = 0
    """Runs that one operator may start in a minute."""
    items: tuple[ItemView, ...] = ()
    filters: tuple[str, ...] = ()
    """In words, where its runs came from a filter."""
    reason: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    message: str | None = None

    @property
    def verb(self) -> str:
        return _VERBS[self.bulk.kind]

    @property
    def is_cancel(self) -> bool:
        return self.bulk.kind is BulkKind.CANCEL

    @property
    def is_draft(self) -> bool:
        return self.bulk.status is BulkStatus.DRAFT

    @property
    def polls(self) -> bool:
        return not self.is_draft and not self.bulk.is_over

    @property
    def settled(self) -> int:
        return self.bulk.total - self.bulk.left

    @property
    def title(self) -> str:
        """Carries how it stands: it is the tab's."""
        runs = f"{self.bulk.total:,} run{'' if self.bulk.total == 1 else 's'}"
        if self.is_draft:
            return f"{self.verb} {runs}?"
        if self.bulk.status is BulkStatus.STARTED:
            return f"{_DOING[self.bulk.kind]} {runs}: {self.settled:,} done"
        return f"{self.verb} of {runs}"

    @property
    def minutes(self) -> int:
        """How long the replays take at least, at the pace that is allowed; 0: within a minute."""
        acting = self.dry_run.acting if self.dry_run and not self.is_cancel else 0
        return acting // self.per_minute if self.per_minute else 0

    @property
    def newer(self) -> int | None:
        return self.page - 1 if self.page else None

    @property
    def older(self) -> int | None:
        return self.page + 1 if (self.page + 1) * PAGE_SIZE < self.bulk.total else None
