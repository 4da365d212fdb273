"""Regular expressions through RE2: linear in the text, whatever the pattern (architecture.md 6)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import re2

MAX_PATTERN_CHARACTERS: Final = 2_048
_MAX_MEMORY: Final = 1024 * 1024


class PatternRefused(ValueError):
    """Not in RE2's syntax (it has no look-around and no back-references), or too large."""


@lru_cache(maxsize=256)
def compile_pattern(source: str, *, ignore_case: bool = False, multiline: bool = False) -> Any:
    """A compiled pattern; `^` and `$` match at lines when `multiline`."""
    if len(source) > MAX_PATTERN_CHARACTERS:
        raise PatternRefused(f"the pattern is longer than {MAX_PATTERN_CHARACTERS} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(f"(?m){source}" if multiline else source, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternRefused(_words(error)) from None


def _words(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return str(text) or "not a pattern of RE2"
