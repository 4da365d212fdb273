"""The pure actions `transform.*`: run inside the workflow, at no activity (document.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.interpreter.transforms.transform import Transform

TRANSFORMS: Final[Mapping[tuple[str, int], Transform]] = {}
