"""What the document says of its payload: schema, reference, redaction."""

from __future__ import annotations

import re
from typing import Final

from engine.contract import Json
from engine.definitions.checks.checked import Checked
from engine.definitions.findings import did_you_mean
from engine.definitions.payload_schema import BUILT_IN_SCHEMAS, check_schema
from engine.definitions.schema_paths import is_known

_POINTER: Final = re.compile(r"(/([^~/]|~[01])*)+")


def check_payloads(checked: Checked) -> None:
    schema = checked.data.get("payloadSchema")
    if isinstance(schema, dict):
        _check_inline(checked, schema)
    reference = checked.data.get("payloadSchemaRef")
    if isinstance(reference, str) and checked.schema_named(reference) is None:
        checked.error(
            None,
            "UNKNOWN_PAYLOAD_SCHEMA_REF",
            f"There is no schema {reference} here.",
            did_you_mean(reference, [*BUILT_IN_SCHEMAS, *checked.schemas])
            or "Add it with `flask schemas add`.",
        )
    redact = checked.data.get("redact")
    for pointer in redact if isinstance(redact, list) else ():
        if isinstance(pointer, str):
            _check_pointer(checked, pointer)


def _check_inline(checked: Checked, schema: dict[str, Json]) -> None:
    problems = check_schema(schema)
    for problem in problems:
        message = f"payloadSchema{problem.pointer}: {problem.message}"
        checked.error(None, "INVALID_PAYLOAD_SCHEMA", message)
    types = schema.get("type", "object")
    if not problems and "object" not in ([types] if isinstance(types, str) else types):
        message = "payloadSchema/type: a payload is always an object."
        checked.error(None, "INVALID_PAYLOAD_SCHEMA", message)


def _check_pointer(checked: Checked, pointer: str) -> None:
    if not _POINTER.fullmatch(pointer) or not pointer.startswith(("/payload/", "/vars/")):
        checked.error(
            None,
            "INVALID_REDACT_POINTER",
            f"redact: {pointer!r} is not a JSON pointer below /payload or /vars.",
            f"Write /payload{pointer}." if _POINTER.fullmatch(pointer) else None,
        )
        return
    segments = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[2:]]
    schema = checked.payload_schema
    if pointer.startswith("/payload/") and schema is not None and not is_known(schema, segments):
        message = f"redact: {pointer} is not in the payload schema."
        checked.warning(None, "REDACT_PATH_UNKNOWN", message)
