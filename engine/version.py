"""Which release this is; `pyproject.toml` says the same (a test holds it to that)."""

from __future__ import annotations

from typing import Final

PRODUCT: Final = "Run Studio"
VERSION: Final = "0.1.0"
