"""What the template of the list of runs receives."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from blueprints.runs.filters import ListFilters
from blueprints.runs.selection_bar import SelectionBar
from engine.runs.status import RunStatus
from engine.services.count_runs import COUNT_LIMIT
from engine.services.find_runs import NEW_RUNS_COUNTED, PAGE_SIZE
from engine.services.run_rows import RunRow

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class StatusOption:
    status: RunStatus
    count: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ViewLink:
    name: str
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RunsPage:
    rows: tuple[RunRow, ...]
    filters: ListFilters
    statuses: tuple[StatusOption, ...]
    workflows: tuple[Option, ...]
    triggers: tuple[Option, ...]
    lasts: tuple[Option, ...]
    columns: tuple[Option, ...]
    kept: tuple[tuple[str, str], ...]
    """Fields of the address that a choice of columns leaves as they are."""
    columns_text: str | None
    usual_url: str
    """This very page, in the usual columns."""
    address: str
    """Of the newest page under these filters."""
    all_url: str
    """Of all runs, in the same columns."""
    poll_url: str | None
    """The same rows again; None: the list does not renew itself."""
    csv_url: str
    newer_url: str | None
    older_url: str | None
    may_run: bool
    new: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)
    """By field."""
    ticked: frozenset[str] = frozenset()
    """Those of its rows that the operator has selected."""
    selection: SelectionBar | None = None
    """None for who may do nothing to runs."""
    views: tuple[ViewLink, ...] = ()

    @property
    def any_workflow(self) -> bool:
        return bool(self.workflows)

    @property
    def filtered(self) -> bool:
        return self.filters.any

    @property
    def new_text(self) -> str:
        count = f"{NEW_RUNS_COUNTED}+" if self.new > NEW_RUNS_COUNTED else str(self.new)
        return f"{count} new run{'' if self.new == 1 else 's'}"


def count_text(count: int, *, exact: bool) -> str:
    return f"{COUNT_LIMIT:,}+" if count > COUNT_LIMIT and not exact else f"{count:,}"


def options(
    texts: Iterable[tuple[str, str]], chosen: Collection[str], unknown: str = ""
) -> tuple[Option, ...]:
    """`unknown`: what was asked for and is none of them; it stays chosen, to be seen."""
    known = tuple(Option(value, text, value in chosen) for value, text in texts)
    return (*known, Option(unknown, f"{unknown[:80]} (unknown)", chosen=True)) if unknown else known


def pack(run_ids: Sequence[str]) -> str:
    """Ids of a page, short enough for an address."""
    return urlsafe_b64encode(b"".join(UUID(run_id).bytes for run_id in run_ids)).decode()


def unpack(text: str) -> tuple[str, ...]:
    """What `pack` made; nothing for anything else."""
    try:
        packed = urlsafe_b64decode(text)
    except ValueError:
        return ()
    starts = range(0, len(packed) - len(packed) % _ID_BYTES, _ID_BYTES)
    ids = tuple(str(UUID(bytes=packed[at : at + _ID_BYTES])) for at in starts)
    return ids[:PAGE_SIZE]
