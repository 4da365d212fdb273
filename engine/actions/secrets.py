"""Secrets: where their values come from, putting them into an input, and masking their echoes.

`{"$secret": "NAME"}` stays a reference everywhere but here (architecture.md 4). A value comes from
SECRET_<NAME>, from the file that SECRET_<NAME>_FILE names, or from the file NAME in a directory.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.runs.redaction import MASK

NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_NOT_OURS: Final = frozenset({"KEY", "KEY_FILE"})
"""SECRET_KEY signs the product's own cookies: no workflow may ask for it."""
_SHORTEST_PART: Final = 4
"""A shorter value is masked only where it is the whole text: as a part it would mask everything."""
_SHORTEST_ENCODED: Final = 8


class Secrets:
    """The installation's secrets. Nothing is cached: a value that was replaced counts at once."""

    def __init__(self, environ: Mapping[str, str], directory: Path | None = None) -> None:
        self._environ = environ
        self._directory = directory

    @classmethod
    def of_environment(cls, directory: Path | None = None) -> Secrets:
        """Those of this process."""
        return cls(os.environ, directory)

    def find(self, name: str) -> str | None:
        """The value, or None: unknown, empty, or its file cannot be read."""
        if not NAME.fullmatch(name):
            return None
        if name not in _NOT_OURS:
            value = None if name.endswith("_FILE") else self._environ.get(f"SECRET_{name}")
            if value:
                return value
            path = self._environ.get(f"SECRET_{name}_FILE")
            if path:
                return _read(Path(path))
        return _read(self._directory / name) if self._directory else None

    @property
    def names(self) -> SecretNames:
        return SecretNames(self)

    def listed(self) -> frozenset[str]:
        """Every name that may have a value."""
        variables = (name.removeprefix("SECRET_") for name in self._environ if _is_ours(name))
        set_here = {name.removesuffix("_FILE") for name in variables}
        return frozenset(set_here | _file_names(self._directory))

    def opened(self) -> OpenedSecrets:
        """A resolver for one call of an action."""
        return OpenedSecrets(self)


class SecretNames(Collection[str]):
    """The names of the secrets that have a value now."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._secrets.find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in sorted(self._secrets.listed()) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class OpenedSecrets:
    """Resolves the secrets of one call and masks the values that it has handed out."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def secret(self, name: str) -> str:
        """Raises ActionError with code SECRET_NOT_FOUND."""
        value = self._secrets.find(name)
        if value is None:
            raise StepFailed(
                Category.ACTION,
                f"There is no secret {name}: set SECRET_{name}, SECRET_{name}_FILE, or put a file "
                "into the directory of secrets.",
                code="SECRET_NOT_FOUND",
                details={"secret": name},
            )
        self._values.add(value)
        self._pattern = None
        return value

    def resolve(self, input: Json) -> Json:
        """`input` with every reference replaced by its value. Raises ActionError."""
        if isinstance(input, dict):
            if len(input) == 1 and isinstance(name := input.get("$secret"), str):
                return self.secret(name)
            return {key: self.resolve(value) for key, value in input.items()}
        if isinstance(input, list):
            return [self.resolve(value) for value in input]
        return input

    def mask(self, value: Json) -> Json:
        """`value` with every secret that was handed out masked, inside texts and encoded too."""
        if not self._values:
            return value
        if isinstance(value, str):
            return self._masked_text(value)
        if isinstance(value, dict):
            return {self._masked_text(key): self.mask(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.mask(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return MASK if str(value) in self._values else value
        return value

    def mask_error(self, error: StepFailed) -> StepFailed:
        """The same failure without secrets in its message and details."""
        if not self._values:
            return error
        return StepFailed.from_data(self.mask(error.as_data()))

    def _masked_text(self, text: str) -> str:
        if text in self._values:
            return MASK
        if self._pattern is None:
            self._pattern = _pattern(self._values)
        masked = self._pattern.sub(MASK, text)
        half = max((_cut_off(masked, value) for value in self._values), default=0)
        return f"{masked[:-half]}{MASK}" if half else masked


def _cut_off(text: str, value: str) -> int:
    """How many characters of `value` the text ends with: a body that was cut may end in one."""
    fewest = max(_SHORTEST_PART, len(value) // 2)
    ends = (
        count for count in range(len(value) - 1, fewest - 1, -1) if text.endswith(value[:count])
    )
    return next(ends, 0)


def _pattern(values: set[str]) -> re.Pattern[str]:
    forms = {form for value in values for form in _forms(value)}
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _forms(value: str) -> Iterator[str]:
    """How a value may come back inside a text: as it is, JSON-escaped, URL- or base64-encoded."""
    if len(value) < _SHORTEST_PART:
        return
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value, safe="")
    yield quote(value)
    yield quote_plus(value)
    data = value.encode("utf-8", "surrogatepass")
    if len(data) >= _SHORTEST_ENCODED:
        yield data.hex()
        yield from _base64_forms(data)


def _base64_forms(data: bytes) -> Iterator[str]:
    """The characters that depend on `data` alone, for each of the three places it may begin at.

    So that `user:password` in a Basic header is found too.
    """
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode().rstrip("=")
        first = (offset * 8 + 5) // 6
        last = (offset + len(data)) * 8 // 6
        core = encoded[first:last]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def _is_ours(variable: str) -> bool:
    return variable.startswith("SECRET_") and variable.removeprefix("SECRET_") not in _NOT_OURS


def _file_names(directory: Path | None) -> set[str]:
    try:
        return {path.name for path in directory.iterdir()} if directory else set()
    except OSError:
        return set()


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").removesuffix("\n").removesuffix("\r") or None
    except (OSError, UnicodeDecodeError):
        return None
