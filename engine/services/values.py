"""Values too large to travel: stored once, passed by reference, fetched in pieces (rules.md 4)."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from engine.contract import REFERENCE_KEY, Json, ValuePiece, ValueWanted
from engine.errors import NotFound
from engine.runs.strict_json import canonical
from engine.services.context import Services
from engine.store.runs import StoredValue
from engine.store.upsert import insert_into

REFERENCE_FROM: Final = 64 * 1024
"""Bytes. A larger value is stored apart from its row and its workflow."""

PIECE_BYTES: Final = 1024 * 1024
"""A fetched piece: two of them stay well below what one workflow task may carry (4 MiB)."""

_VALUES = cast(Table, StoredValue.__table__)
_VALUE_ID = re.compile(r"[0-9a-f-]{36}:[0-9a-f]{64}")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fitted:
    value: Json
    """The value itself, or {"$ref", "bytes"}."""
    bytes: int
    """What `value` takes where it travels."""
    by_reference: bool = False

    @classmethod
    def from_row(cls, value: Json) -> Fitted:
        """As a row holds it. What looks like a reference of ours is one: see `_is_ours`."""
        return cls(value, len(json.dumps(value)), _is_ours(reference_in(value)))


def fit(session: Session, run_id: str, value: Json, now: datetime) -> Fitted:
    """The value where it is small enough; else it is stored, and this is the reference to it."""
    value, size = storable(value)
    if size <= REFERENCE_FROM:
        return Fitted(value, size)
    reference = keep(session, run_id, value, now)
    return Fitted(reference, len(json.dumps(reference)), by_reference=True)


def keep(session: Session, run_id: str, value: Json, now: datetime) -> dict[str, Json]:
    """Store a value; the same value of one run is one row. The reference to it."""
    text = canonical(value)
    data = text.encode()
    value_id = f"{run_id}:{hashlib.sha256(data).hexdigest()}"
    session.execute(
        insert_into(session, _VALUES).on_conflict_do_nothing(index_elements=[_VALUES.c.value_id]),
        {
            "value_id": value_id,
            "run_id": run_id,
            "size_bytes": len(data),
            "value_json": value,
            "created_at": now,
        },
    )
    return {REFERENCE_KEY: value_id, "bytes": len(data)}


def storable(value: Json) -> tuple[Json, int]:
    """The value as both databases keep it, and its size in bytes of JSON.

    Expressions can make texts that PostgreSQL refuses (U+0000, half a surrogate pair): a row that
    cannot be written would be tried for ever, so that such characters become U+FFFD.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isascii():
        if "\\u0000" in text:
            value = _cleaned(value)
        return value, len(text)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return storable(_cleaned(value))
    return (_cleaned(value), size) if "\\u0000" in text else (value, size)


def reference_in(value: Json) -> str | None:
    """The id of a stored value, where this has the form of a reference; it need not be one."""
    if not isinstance(value, dict) or value.keys() != {REFERENCE_KEY, "bytes"}:
        return None
    value_id = value[REFERENCE_KEY]
    return value_id if isinstance(value_id, str) else None


def _is_ours(value_id: str | None) -> bool:
    """`<run id>:<sha256>` beside a size: nothing that an action makes by chance."""
    return value_id is not None and _VALUE_ID.fullmatch(value_id) is not None


def clean_text(text: str) -> str:
    return _NOT_STORABLE.sub("\ufffd", text)


def _cleaned(value: Json) -> Json:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def load_value(services: Services, value_id: str) -> Json:
    """A stored value. Raises `NotFound`."""
    with services.store.reading() as session:
        row = session.execute(
            select(_VALUES.c.value_json).where(_VALUES.c.value_id == value_id)
        ).one_or_none()
    if row is None:
        raise NotFound(f"There is no stored value {value_id}.")
    return row.value_json


def put_back(session: Session, run_id: str, value: Json) -> Json:
    """`value` with what this run has stored apart in place of its references.

    One that names another run's value stays: whoever typed it is not to read that through it.
    """
    value_id = reference_in(value)
    if _is_ours(value_id):
        query = select(_VALUES.c.value_json).where(
            _VALUES.c.value_id == value_id, _VALUES.c.run_id == run_id
        )
        row = session.execute(query).one_or_none()
        return value if row is None else row.value_json
    if isinstance(value, dict):
        return {key: put_back(session, run_id, item) for key, item in value.items()}
    if isinstance(value, list):
        return [put_back(session, run_id, item) for item in value]
    return value


def fetch_value(services: Services, wanted: ValueWanted) -> ValuePiece:
    """One piece of a stored value's canonical text. Raises `NotFound`."""
    return _piece(canonical(load_value(services, wanted.value_id)), wanted.offset)


def _piece(text: str, offset: int) -> ValuePiece:
    """A character is at most four bytes: what does not fit is cut between characters."""
    data = text[offset : offset + PIECE_BYTES].encode()[:PIECE_BYTES]
    piece = data.decode(errors="ignore")
    end = offset + len(piece)
    return ValuePiece(piece, end if end < len(text) else None)
