"""The statuses of runs and steps, and the one table of what may follow what.

Buttons on a page, guarded UPDATEs in the store and the tests' matrix are all made from
`TRANSITIONS` (docs/architecture.md 3), so that a control that is shown works.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class StepStatus(StrEnum):
    STARTED = "STARTED"
    RETRY_SCHEDULED = "RETRY_SCHEDULED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class WaitStatus(StrEnum):
    WAITING = "WAITING"
    RESOLVED = "RESOLVED"
    CANCELED = "CANCELED"


class WaitType(StrEnum):
    EVENT = "event"
    TIME = "time"
    HUMAN = "human"
    QUOTA = "quota"
    RETRY = "retry"
    """Historical, from before the cut-over."""
    TIMEOUT = "timeout"
    """Historical, from before the cut-over."""


class InvocationStatus(StrEnum):
    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


_TERMINAL: Final = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELED})

TRANSITIONS: Final = MappingProxyType(
    {
        RunStatus.RUNNING: frozenset({RunStatus.WAITING}) | _TERMINAL,
        RunStatus.WAITING: frozenset({RunStatus.RUNNING}) | _TERMINAL,
        RunStatus.SUCCEEDED: frozenset[RunStatus](),
        RunStatus.FAILED: frozenset[RunStatus](),
        RunStatus.CANCELED: frozenset[RunStatus](),
    }
)

TERMINAL: Final = frozenset(status for status, after in TRANSITIONS.items() if not after)
OPEN: Final = frozenset(RunStatus) - TERMINAL

STEP_RANK: Final = MappingProxyType(
    {
        StepStatus.STARTED: 1,
        StepStatus.RETRY_SCHEDULED: 2,
        StepStatus.SUCCEEDED: 3,
        StepStatus.FAILED: 3,
        StepStatus.CANCELED: 3,
    }
)
"""A step row only moves to a higher rank (docs/rules.md 4)."""


def may_become(status: RunStatus, after: RunStatus) -> bool:
    return after in TRANSITIONS[status]


def sources(after: RunStatus) -> frozenset[RunStatus]:
    """The statuses that may become `after`: the WHERE of every guarded UPDATE."""
    return frozenset(status for status in RunStatus if may_become(status, after))
