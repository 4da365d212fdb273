"""Answering a human task: an update of its run's workflow (docs/rules.md 7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.contract import Json
from engine.services.context import Actor, Services


class AnswerState(StrEnum):
    ACCEPTED = "accepted"
    UNCONFIRMED = "unconfirmed"
    """Not confirmed yet: it may still be accepted when a worker comes."""


@dataclass(frozen=True, slots=True)
class AnswerReceipt:
    run_id: str
    task_id: str
    state: AnswerState


def answer_task(
    services: Services, task_id: str, actor: Actor, payload: Json, token: str
) -> AnswerReceipt:
    """Answer an open task; `token`: the form's, so that a double click is one answer.

    Raises `NotFound`, `Conflict` (answered already, by whom and when in `details {status,
    answeredBy, answeredAt}`; canceled; expired; its run has ended), `Invalid` (the answer does not
    fit: a problem with a pointer for each fault; nothing was sent), `TooLarge`, and `Unavailable`
    (Temporal cannot be reached: nothing was saved).
    """
    raise NotImplementedError
