"""The picture of a version's document. A version never changes: the newest few are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.drawing.layout import lay_out
from engine.definitions.drawing.shapes import Drawing
from engine.definitions.drawing.steps import steps_to_draw
from engine.store.definitions import WorkflowDefinitionVersion

_KEPT: Final = 32
"""Of 2,000 steps, one takes about 2 MB."""

_lock: Final = threading.Lock()
_kept: Final[OrderedDict[str, Drawing]] = OrderedDict()


def drawing_of(session: Session, version_id: str | None) -> Drawing:
    """None, or a version that is gone: a picture without steps."""
    if version_id is None:
        return lay_out(())
    with _lock:
        known = _kept.get(version_id)
        if known is not None:
            _kept.move_to_end(version_id)
            return known
    document = session.scalar(
        select(WorkflowDefinitionVersion.definition_json).where(
            WorkflowDefinitionVersion.version_id == version_id
        )
    )
    drawing = lay_out(steps_to_draw(document))
    with _lock:
        _kept[version_id] = drawing
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return drawing
