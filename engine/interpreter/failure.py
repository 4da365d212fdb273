"""Failures as data on their way outward, and the one failure that nobody may catch."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.host import StepPlace

CANCELLED: Final = StepFailed(Category.CANCELLATION, "cancelled before it ended")


class Failure(Exception):  # noqa: N818 - it is the language's failure, not a fault of ours
    """A step's final failure, looking for whoever handles it: `data` is what the author sees."""

    def __init__(self, data: dict[str, Json]) -> None:
        super().__init__(data.get("message", ""))
        self.data = data


class Corrupt(Exception):  # noqa: N818 - as above
    """Plan or checkpoint is not one that this code can execute: the run fails, uncaught."""


def located(failed: StepFailed, place: StepPlace, at: datetime) -> dict[str, Json]:
    """Error data: {category, code?, message, details?, nodePath, iter, at} (document.md)."""
    return {
        **failed.as_data(),
        "nodePath": place.path,
        "iter": list(place.iter),
        "at": timestamp(at),
    }


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as `nowIso()` writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
