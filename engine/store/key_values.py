"""What workflows keep between runs, one statement a change (actions store.*).

Each change adds one to the row's revision, so that who read revision n can write only if it is
still n. All of it happens in the caller's transaction, which serialises writers of one key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import uuid4

from sqlalchemy import ColumnElement, Table, delete, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.store.data_store import WorkflowDataStore
from engine.store.upsert import insert_into

_TABLE = cast(Table, WorkflowDataStore.__table__)
_COLUMNS = _TABLE.c


@dataclass(frozen=True, slots=True)
class Place:
    namespace: str
    key: str


@dataclass(frozen=True, slots=True)
class Stored:
    value: Json
    revision: int


@dataclass(frozen=True, slots=True)
class Written:
    """Who writes, and when: kept with the row."""

    run_id: str
    at: datetime


def get(session: Session, place: Place) -> Stored | None:
    row = session.execute(
        select(_COLUMNS.value, _COLUMNS.revision).where(*_at(place))
    ).one_or_none()
    return None if row is None else Stored(row.value["v"], row.revision)


def put(session: Session, place: Place, value: Json, written: Written) -> int:
    """Write, whatever is there; the new revision."""
    statement = _insert(session, place, value, written)
    revision: int = session.execute(
        statement.on_conflict_do_update(
            index_elements=[_COLUMNS.namespace, _COLUMNS.key],
            set_={
                "value": statement.excluded.value,
                "revision": _COLUMNS.revision + 1,
                "updated_at": statement.excluded.updated_at,
            },
        ).returning(_COLUMNS.revision)
    ).scalar_one()
    return revision


def create(session: Session, place: Place, value: Json, written: Written) -> bool:
    """Write only if nothing is there; False: something is."""
    statement = _insert(session, place, value, written).on_conflict_do_nothing(
        index_elements=[_COLUMNS.namespace, _COLUMNS.key]
    )
    inserted = session.execute(statement.returning(_COLUMNS.revision)).scalar_one_or_none()
    return inserted is not None


def replace(
    session: Session, place: Place, value: Json, written: Written, *, expected: int
) -> int | None:
    """Write only over revision `expected`; the new revision, or None: it is another one by now."""
    revision: int | None = session.execute(
        update(_TABLE)
        .where(*_at(place), _COLUMNS.revision == expected)
        .values(value={"v": value}, revision=expected + 1, updated_at=written.at)
        .returning(_COLUMNS.revision)
    ).scalar_one_or_none()
    return revision


def remove(session: Session, place: Place) -> bool:
    """False: nothing was there."""
    gone = session.execute(delete(_TABLE).where(*_at(place)).returning(_COLUMNS.revision))
    return gone.scalar_one_or_none() is not None


def lock_or_create(session: Session, place: Place, value: Json, written: Written) -> Stored:
    """Write `value` if nothing is there; else take the next revision and keep the value for now.

    Either way the row is locked until the transaction ends, and `revision` tells which it was: 1 is
    new. The caller goes on with `overwrite`, or rolls back.
    """
    statement = _insert(session, place, value, written)
    row = session.execute(
        statement.on_conflict_do_update(
            index_elements=[_COLUMNS.namespace, _COLUMNS.key],
            set_={
                "revision": _COLUMNS.revision + 1,
                "updated_at": statement.excluded.updated_at,
            },
        ).returning(_COLUMNS.value, _COLUMNS.revision)
    ).one()
    return Stored(row.value["v"], row.revision)


def overwrite(session: Session, place: Place, value: Json) -> None:
    """The value of a row that this transaction has locked."""
    session.execute(update(_TABLE).where(*_at(place)).values(value={"v": value}))


def _at(place: Place) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _COLUMNS.namespace == place.namespace, _COLUMNS.key == place.key


def _insert(session: Session, place: Place, value: Json, written: Written) -> Insert:
    return insert_into(session, _TABLE).values(
        store_id=str(uuid4()),
        namespace=place.namespace,
        key=place.key,
        value={"v": value},
        value_type="json",
        revision=1,
        created_by_run_id=written.run_id,
        created_at=written.at,
        updated_at=written.at,
    )
