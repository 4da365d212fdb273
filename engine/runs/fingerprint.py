"""A keyed fingerprint: whether two values are equal, told without showing either.

HMAC over canonical JSON with the installation's secret key, so that nobody without the key can try
values until the fingerprint fits, as with a plain hash. It proves equality to somebody who may
start runs and compare them: a value that can be guessed can be confirmed by a run that holds the
guess at a masked place. Masks do not protect such values against their own operators.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from engine.contract import Json
from engine.runs import strict_json

_PURPOSE: Final = b"run-studio payload fingerprint 1"
_SHOWN: Final = 16
"""Hex digits: 64 bits, for people to compare."""


class Fingerprints:
    def __init__(self, secret_key: str | bytes) -> None:
        key = secret_key.encode() if isinstance(secret_key, str) else secret_key
        self._key = hmac.digest(key, _PURPOSE, hashlib.sha256)

    def of(self, value: Json) -> str:
        """The same for equal values, whatever the order of their keys."""
        return self._digest(value).hex()[:_SHOWN]

    def equal(self, left: Json, right: Json) -> bool:
        return hmac.compare_digest(self._digest(left), self._digest(right))

    def _digest(self, value: Json) -> bytes:
        text = strict_json.canonical(value).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)
