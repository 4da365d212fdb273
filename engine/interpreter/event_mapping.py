"""A trigger's payload mapping: the payload of the run that an event starts (original 2.5, 2.8)."""

from __future__ import annotations

from datetime import datetime

from engine.contract import Json
from engine.interpreter.templates import Template


def mapped_payload(mapping: Json, event: dict[str, Json], now: datetime) -> Json:
    """`mapping` sees only `event`: {name, correlationKey, payload, payloadSchemaRef}.

    Raises StepFailed(ExpressionError).
    """
    template = Template(mapping)
    context = {"event": event}
    return template.filled(
        [slot.expression.evaluate(context, now=now).value for slot in template.slots]
    )
