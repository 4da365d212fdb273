"""Failures as data on their way outward, and the one failure that nobody may catch."""

from __future__ import annotations

from datetime import datetime

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.host import StepPlace


class Failure(Exception):
    """A step's final failure, looking for whoever handles it: `data` is what the author sees."""

    def __init__(self, data: dict[str, Json]) -> None:
        super().__init__(data["message"])
        self.data = data
        self.catchable = data["category"] != Category.INTERPRETER


class Corrupt(StepFailed):
    """Plan or checkpoint is not one that this code can execute: no author can catch it."""

    def __init__(self, message: str) -> None:
        super().__init__(Category.INTERPRETER, message)


def located(failed: StepFailed, place: StepPlace, at: datetime) -> dict[str, Json]:
    """Error data: {category, code?, message, details?, nodePath, iter, at} (docs/authoring.md)."""
    data = failed.as_data()
    data["nodePath"] = place.path
    data["iter"] = list(place.iter)
    data["at"] = timestamp(at)
    return data


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as `nowIso()` writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
