"""Where a drill keeps its files: in memory where there is room, for what dies are processes alone.

On a busy disk most of a drill would be waiting for it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
_ENOUGH_BYTES: Final = 2 * 1024**3


def fast_directory() -> Path | None:
    """None: wherever temporary files are."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES:
        return _MEMORY
    return None
