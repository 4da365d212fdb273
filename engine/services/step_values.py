"""Values of steps that were too large for their rows: stored once, put back where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.services.values import reference_in
from engine.store.runs import StoredValue
from engine.store.steps import WorkflowRunStep

VALUES: Final = (WorkflowRunStep.step_path, WorkflowRunStep.input_json, WorkflowRunStep.output_json)
"""What is learned from a step: `StepValues`."""


class _Filled:
    """A row with the true values in place of references."""

    def __init__(self, row: Any, names: Sequence[str], values: dict[str, Json]) -> None:
        for name in names:
            setattr(self, name, getattr(row, name))
        for name in ("input_json", "output_json", "error_json"):
            reference = reference_in(getattr(self, name, None))
            if reference is not None and reference in values:
                setattr(self, name, values[reference])


def with_values(
    session: Session, rows: Sequence[Row[*tuple[Any, ...]]], columns: Sequence[Any]
) -> list[Any]:
    """The rows, with what was stored apart put back; one statement, where any was."""
    wanted = {
        reference
        for row in rows
        for value in (row.input_json, row.output_json, getattr(row, "error_json", None))
        if (reference := reference_in(value)) is not None
    }
    if not wanted:
        return list(rows)
    query = select(StoredValue.value_id, StoredValue.value_json)
    found = session.execute(query.where(StoredValue.value_id.in_(wanted)))
    values: dict[str, Json] = {row.value_id: row.value_json for row in found}
    return [_Filled(row, [column.key for column in columns], values) for row in rows]
