"""Cancellation is never caught (docs/authoring.md), and never lost either."""

from __future__ import annotations

import asyncio
from typing import Final

from engine.errors import Category, StepFailed

CANCELLED: Final = StepFailed(Category.CANCELLATION, "Cancelled before it ended.")


def raise_if_cancelled() -> None:
    """Raises CancelledError when this task was cancelled and what it awaited ended all the same.

    An action that ends well while it is being cancelled gives its result: nothing is raised there,
    so that between two steps it has to be asked.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
