"""Every transform with every edge: what goes in. What comes out is in recorded.json."""

from __future__ import annotations

from typing import Any, Final

from tests.unit.transforms.cases_json import JSON
from tests.unit.transforms.cases_patterns import PATTERNS
from tests.unit.transforms.cases_structure import STRUCTURE
from tests.unit.transforms.cases_text import TEXT

CASES: Final[dict[str, dict[str, Any]]] = JSON | PATTERNS | TEXT | STRUCTURE
