"""Encrypts what Temporal stores: payloads, results, failures (docs/architecture.md 4).

AES-256-GCM. The key's fingerprint travels with each payload, so that a wrong key is told from a
damaged payload. Payloads that were written before a key was configured stay readable. Workflow ids,
queue names and search attributes are never encrypted: nothing secret may be in them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

_ENCODING: Final = b"binary/encrypted"
_CIPHER: Final = b"AES-256-GCM"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class EncryptionCodec(PayloadCodec):
    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes. Raises ValueError for another length."""
        if len(key) != _KEY_BYTES:
            raise ValueError(f"the key must be {_KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)
        self._key_id = hashlib.sha256(key).hexdigest()[:16].encode()

    @property
    def key_id(self) -> str:
        """Tells one key from another, and nothing of the key."""
        return self._key_id.decode()

    def encrypted(self, payload: Payload) -> Payload:
        """The payload, encrypted unless it is so already, with whatever key."""
        return payload if _is_encrypted(payload) else self._encrypt(payload)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decrypt(payload) for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, payload.SerializeToString(), self._key_id)
        return Payload(
            metadata={"encoding": _ENCODING, "cipher": _CIPHER, "key-id": self._key_id},
            data=nonce + sealed,
        )

    def _decrypt(self, payload: Payload) -> Payload:
        if not _is_encrypted(payload):
            return payload
        key_id = payload.metadata.get("key-id")
        if key_id != self._key_id:
            raise ValueError(
                f"a payload in Temporal was encrypted with key {(key_id or b'?').decode()}, "
                f"this process has key {self._key_id.decode()}: set TEMPORAL_CODEC_KEY to that key"
            )
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            return Payload.FromString(self._cipher.decrypt(nonce, sealed, self._key_id))
        except InvalidTag:
            raise ValueError("a payload in Temporal is damaged: it cannot be decrypted") from None


def _is_encrypted(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == _ENCODING


def key_from_text(text: str) -> bytes:
    """A key as TEMPORAL_CODEC_KEY holds it: URL-safe base64 of 32 bytes. Raises ValueError."""
    try:
        key = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be URL-safe base64 of 32 bytes") from None
    if len(key) != _KEY_BYTES:
        raise ValueError(f"must be {_KEY_BYTES} bytes in URL-safe base64, not {len(key)}")
    return key
