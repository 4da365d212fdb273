"""How runs of a workflow start by themselves (original 2.8)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.definitions.fields import Mapping, Part, Text


class EventTrigger(Part):
    """A run for every event of a name. The mapping sees only `event`."""

    type: Literal["event"]
    event_name: Text
    source_payload_schema_ref: Text | None = None
    payload_mapping: Mapping | None = None


class ScheduleTrigger(Part):
    """One run at a time: RFC 3339 with an offset."""

    type: Literal["schedule"]
    run_at: Text


class RecurringTrigger(Part):
    """Runs by a cron line of five fields in a time zone."""

    type: Literal["recurring"]
    cron: Text
    timezone: Text


Trigger = Annotated[EventTrigger | ScheduleTrigger | RecurringTrigger, Field(discriminator="type")]
