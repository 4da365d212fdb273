"""What the templates of waits receive: finished texts and addresses, redacted values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from blueprints.schema_form.view import FormView
from engine.services.find_waits import TaskView, WaitView

KINDS: Final[Mapping[str, str]] = {
    "human": "Tasks",
    "event": "Events",
    "quota": "Quota",
    "time": "Times",
}
"""Kinds of waits, in the order of the inbox: first what a person is asked for."""


@dataclass(frozen=True, slots=True)
class KindOption:
    kind: str
    label: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class WaitSection:
    kind: str
    """human, or other: what all its rows are."""
    title: str
    waits: tuple[WaitView, ...]
    older_url: str | None
    newest_url: str | None = None


@dataclass(frozen=True, slots=True)
class WaitsPage:
    sections: tuple[WaitSection, ...]
    kinds: tuple[KindOption, ...]
    mine: bool
    mine_url: str
    address: str
    """Of this very page: what the list polls."""
    polls: bool
    may_act: bool
    problems: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not any(section.waits for section in self.sections)


@dataclass(frozen=True, slots=True)
class AnswerPage:
    task: TaskView
    token: str
    form: FormView
    message: str | None = None
    unconfirmed: tuple[tuple[str, str], ...] | None = None
    """The fields as they were sent, where nobody has said yet what became of the answer."""

    @property
    def is_open(self) -> bool:
        return self.task.status == "OPEN"
