"""The installation's payload schemas: what a document's `payloadSchemaRef` may name."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.payload_schema import BUILT_IN_SCHEMAS, check_schema
from engine.errors import Conflict, Invalid, Problem
from engine.services import audit
from engine.services.context import Actor, Services
from engine.store.base import storable
from engine.store.payload_schemas import PayloadSchema

_REF_MAX: Final = 200


def all_schemas(session: Session) -> dict[str, Json]:
    rows = session.scalars(select(PayloadSchema).order_by(PayloadSchema.ref))
    return {row.ref: row.schema_json for row in rows} | dict(BUILT_IN_SCHEMAS)


def add_schema(services: Services, ref: str, schema: Json, actor: Actor) -> bool:
    """False: it is there already, the same. Raises `Invalid`, and `Conflict` for another one."""
    problems = check_schema(schema)
    if not (0 < len(ref) <= _REF_MAX and storable(ref) and ref.isprintable()):
        problems = [Problem("ref", "This is no name for a schema."), *problems]
    if problems:
        raise Invalid(f"{ref[:_REF_MAX]!r} cannot be added.", problems)
    with services.store.reading() as session:
        known = all_schemas(session).get(ref)
    if known is not None:
        return _same_or_refuse(ref, known, schema)
    try:
        with services.store.writing() as session:
            now = services.now()
            session.add(
                PayloadSchema(
                    ref=ref, schema_json=schema, created_by=actor.operator_id, created_at=now
                )
            )
            audit.record(
                session, actor, "schema_add", now, record_type="payload_schema", record_id=ref
            )
    except IntegrityError:  # Somebody else has added it since we looked.
        with services.store.reading() as session:
            return _same_or_refuse(ref, all_schemas(session)[ref], schema)
    return True


def _same_or_refuse(ref: str, known: Json, schema: Json) -> bool:
    if known == schema:
        return False
    raise Conflict(
        f"{ref} is another schema already: add this one under a new name.", code="SCHEMA_EXISTS"
    )
