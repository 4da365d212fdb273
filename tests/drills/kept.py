"""What a drill leaves behind of each run that was not as promised: its rows, and what was said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tests.drills.evidence import Evidence
from tests.drills.retold import Chain


def keep(directory: Path, faulty: Iterable[tuple[Evidence, Chain | None]]) -> None:
    """A file for each run: the rows, what its workflow asked for, Temporal's histories."""
    directory.mkdir(exist_ok=True)
    for found, chain in faulty:
        said = {
            "rows": asdict(found),
            "told": [asdict(one) for one in chain.told] if chain else None,
            "histories": [history.to_json_dict() for history in chain.histories] if chain else None,
        }
        text = json.dumps(said, indent=1, default=_said)
        (directory / f"{found.run.run_id}.json").write_text(text)


def _said(value: object) -> object:
    return vars(value) if hasattr(value, "__dict__") else str(value)
