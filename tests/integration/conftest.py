"""Files that take long begin first, so that two processes end at about the same time.

xdist hands out whole files (`--dist loadfile`) in the order of the collection, as
scripts/run_tests.py asks for it: a file of a minute that came last would be waited for alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

LONG = (
    "temporal/test_last_second.py",
    "temporal/test_worker_leaves.py",
    "scripts/test_make_run_again.py",
    "commands/test_process.py",
    "temporal/test_lost_worker.py",
    "temporal/test_cancel_everywhere.py",
    "temporal/test_boundaries.py",
)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    """Python's sort is stable: all others keep their order behind these."""
    if not item.path.is_relative_to(HERE):
        return len(LONG) + 1
    name = item.path.relative_to(HERE).as_posix()
    if name in LONG:
        return LONG.index(name)
    return len(LONG) if name.startswith("temporal/") else len(LONG) + 1
