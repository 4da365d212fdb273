"""Times as milliseconds since 1970 and as text. No clock is read here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from jsonata.datetimeutils import DateTimeUtils

from engine.expressions.builtins.call import Call, number, text
from engine.expressions.errors import Fault
from engine.expressions.values import Value

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_OFFSET: Final = re.compile(r"[+-](0[0-9]|1[0-4])[0-5][0-9]")
_ISO: Final = re.compile(
    r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?", re.ASCII
)
_MAX_PICTURE: Final = 256


def from_millis(call: Call, value: Value, picture: Value = None, offset: Value = None) -> Value:
    if value is None:
        return None
    millis = int(number(value, "$fromMillis"))
    try:
        moment = _EPOCH + millis * _MILLISECOND
    except OverflowError:
        raise Fault("$fromMillis knows the years 1 to 9999.") from None
    if picture is None and offset is None:
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z".rjust(24, "0")
    pattern = None if picture is None else text(picture, "$fromMillis")
    shift = None if offset is None else text(offset, "$fromMillis")
    if pattern is not None and len(pattern) > _MAX_PICTURE:
        raise Fault(f"A picture of $fromMillis has at most {_MAX_PICTURE} characters.")
    if shift is not None and not _OFFSET.fullmatch(shift):
        raise Fault("An offset of $fromMillis is written as +0130.")
    try:
        return str(DateTimeUtils.format_datetime(millis, pattern, shift))
    except Exception as error:
        raise Fault("$fromMillis does not understand the picture.") from error


def to_millis(call: Call, value: Value) -> Value:
    if value is None:
        return None
    written = text(value, "$toMillis")
    if not _ISO.fullmatch(written):
        raise Fault("$toMillis needs a time in ISO 8601, such as 2026-06-09T12:00:00Z.")
    try:
        moment = datetime.fromisoformat(_completed(written))
    except ValueError:
        raise Fault("$toMillis: there is no such time.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def _completed(written: str) -> str:
    """A year, or a year and a month, is its first day."""
    if len(written) == len("2026"):
        return f"{written}-01-01"
    return f"{written}-01" if len(written) == len("2026-06") else written


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "fromMillis": from_millis,
    "toMillis": to_millis,
}
