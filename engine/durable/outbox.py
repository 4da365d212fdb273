"""What has happened and is not yet written: it travels with the next activity (architecture.md 3).

A batch leaves memory only when an activity that carried it has answered; one whose activity never
did is put back (docs/rules.md 4).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from engine.contract import Batch, ClosedWait, Guard, StepRecord

FULL_BYTES: Final = 512 * 1024
FULL_RECORDS: Final = 200

_Key = tuple[str, int]


@dataclass(slots=True)
class TaskOrder:
    """Where in the history the workflow stands: what the guards of batches are made of."""

    ordinal: int
    history: int = 0
    """Its length when the current task started."""
    task: int = 0
    """Milliseconds: when that was."""
    completed_history: int = 0
    completed_task: int = 0
    """The same of the previous task that led to another one."""
    position: int = 0
    task_position: int = 0
    """Positions above it began in this task."""
    first_position: int = 0
    """Positions above it began in the previous completed task or in this one."""
    counter: int = 0
    answered: bool = False
    """An activity has answered in this task."""
    repeated: bool = False
    """One has found that an earlier try of this task was lost."""

    def stand_at(self, history: int, at: int) -> None:
        """A workflow task started with this length: the one before it was completed."""
        if history != self.history:
            self.completed_history, self.history = self.history, history
            self.completed_task, self.task = self.task, at
            self.first_position, self.task_position = self.task_position, self.position
            self.answered = self.repeated = False

    def guard(self) -> Guard:
        self.counter += 1
        return Guard(
            self.ordinal,
            self.history,
            self.counter,
            self.completed_history,
            self.task,
            self.completed_task,
        )


@dataclass(slots=True)
class Outbox:
    run_id: str
    order: TaskOrder
    bytes: int = 0
    """Of the inputs, outputs and errors that wait."""
    _records: dict[_Key, StepRecord] = field(default_factory=dict)
    _sizes: dict[_Key, int] = field(default_factory=dict)
    _closed: list[ClosedWait] = field(default_factory=list)
    _state: str | None = None
    _waiting: bool | None = None
    path: str | None = None

    def __len__(self) -> int:
        return len(self._records)

    @property
    def is_empty(self) -> bool:
        return not (
            self._records or self._closed or self._state is not None or self._waiting is not None
        )

    @property
    def is_full(self) -> bool:
        return len(self._records) >= FULL_RECORDS or self.bytes >= FULL_BYTES

    def add(self, record: StepRecord) -> None:
        """A later record of the same row takes the place of the one that waits."""
        key = (record.occurrence, record.attempt)
        size = len(json.dumps([record.input, record.output, record.error], ensure_ascii=False))
        self.bytes += size - self._sizes.get(key, 0)
        self._records[key], self._sizes[key] = record, size

    def note_state(self, label: str) -> None:
        self._state = label

    def note_waiting(self, all_wait: bool) -> None:
        self._waiting = all_wait

    def close_wait(self, wait: ClosedWait) -> None:
        self._closed.append(wait)
        self._waiting = None

    def take(self) -> Batch:
        """Everything that waits, under a guard of its own."""
        batch = Batch(
            run_id=self.run_id,
            guard=self.order.guard(),
            records=list(self._records.values()),
            state=self._state,
            closed_waits=self._closed,
            waiting=self._waiting,
            path=self.path,
            first_position=self.order.first_position,
            sweep=not self.order.answered,
            repeated=self.order.repeated,
        )
        self._records, self._sizes, self._closed = {}, {}, []
        self._state = self._waiting = None
        self.bytes = 0
        return batch

    def put_back(self, batch: Batch) -> None:
        """Its activity never answered. What has been noted since then is newer."""
        newer, self._records, self._sizes, self.bytes = self._records, {}, {}, 0
        for record in (*batch.records, *newer.values()):
            self.add(record)
        self._closed = [*batch.closed_waits, *self._closed]
        if self._state is None:
            self._state = batch.state
        if self._waiting is None:
            self._waiting = batch.waiting
