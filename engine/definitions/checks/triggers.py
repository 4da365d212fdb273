"""How runs start by themselves: event mappings, dates, cron lines (original 2.8, 2.10)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from engine.definitions.checks.checked import Checked
from engine.definitions.cron import fault_of, is_timezone
from engine.definitions.payload_schema import CLOCK_SCHEMA, validate_payload
from engine.expressions import ExpressionRefused, compile_expression
from engine.expressions.mapping import expressions_of

_RFC3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


def check_triggers(checked: Checked) -> None:
    trigger = checked.data.get("trigger")
    if not isinstance(trigger, dict):
        return
    checker = {"event": _event, "schedule": _schedule, "recurring": _recurring}.get(
        str(trigger.get("type"))
    )
    if checker is not None:
        checker(checked, trigger)


def _event(checked: Checked, trigger: dict[str, Any]) -> None:
    mapping, source = trigger.get("payloadMapping"), trigger.get("sourcePayloadSchemaRef")
    if isinstance(source, str) and checked.schema_named(source) is None:
        message = f"trigger: there is no schema {source} here."
        checked.error(None, "UNKNOWN_TRIGGER_SOURCE_SCHEMA_REF", message)
    if mapping is None and source is not None and source != checked.data.get("payloadSchemaRef"):
        message = "trigger: the event's schema is not the payload's, so a payloadMapping is needed."
        checked.error(None, "TRIGGER_MAPPING_REQUIRED", message)
    if not isinstance(mapping, dict):
        return
    for place, expression in expressions_of(mapping, ("trigger", "payloadMapping")):
        if isinstance(expression, str):
            _mapping_expression(checked, ".".join(map(str, place)), expression)
    required = (checked.payload_schema or {}).get("required", ())
    missing = [name for name in required if name not in mapping]
    if missing:
        message = f"trigger.payloadMapping: {', '.join(missing)} must be mapped."
        checked.error(None, "TRIGGER_MAPPING_MISSING_REQUIRED_FIELDS", message)


def _mapping_expression(checked: Checked, name: str, source: str) -> None:
    try:
        roots = compile_expression(source).roots
    except ExpressionRefused as refused:
        message = f"{name}: {refused.message} (position {refused.position})"
        checked.error(None, "INVALID_EXPR", message, refused.suggestion)
        return
    for root in sorted((roots or frozenset()) - {"event"}):
        message = f"{name}: a trigger's mapping sees only event, not {root}."
        suggestion = "Write event.payload." if root == "payload" else None
        checked.error(None, "TRIGGER_MAPPING_INVALID_ROOT", message, suggestion)


def _schedule(checked: Checked, trigger: dict[str, Any]) -> None:
    run_at = trigger.get("runAt")
    if isinstance(run_at, str) and not _is_moment(run_at):
        message = "trigger.runAt: write a date and time with an offset, 2026-06-09T12:00:00Z."
        checked.error(None, "TIME_TRIGGER_INVALID_RUN_AT", message)
    _clock_payload(checked)


def _is_moment(text: str) -> bool:
    if not _RFC3339.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _recurring(checked: Checked, trigger: dict[str, Any]) -> None:
    cron, timezone = trigger.get("cron"), trigger.get("timezone")
    if isinstance(cron, str):
        fault = fault_of(cron)
        if fault:
            checked.error(None, "TIME_TRIGGER_INVALID_CRON", f"trigger.cron: {fault}")
    if isinstance(timezone, str) and not is_timezone(timezone):
        message = "trigger.timezone: write an IANA name such as Europe/Berlin."
        checked.error(None, "TIME_TRIGGER_INVALID_TIMEZONE", message)
    _clock_payload(checked)


def _clock_payload(checked: Checked) -> None:
    """With a schema of its own a document gets `{}` of the clock."""
    if checked.data.get("payloadSchemaRef") == CLOCK_SCHEMA or checked.payload_schema is None:
        return
    if validate_payload(checked.payload_schema, {}):
        message = "trigger: its runs get {} as payload, which does not fit: each would fail."
        suggestion = f"Leave payloadSchema out, or name {CLOCK_SCHEMA}."
        checked.warning(None, "TIME_TRIGGER_PAYLOAD_DOES_NOT_FIT", message, suggestion)
