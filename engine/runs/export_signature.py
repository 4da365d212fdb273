"""Who exported a file: the installation's Ed25519 signature under a manifest's hash.

The key pair is made of the installation's secret key, so that there is none to keep beside it.
Whoever has the public key can tell the installation's files from others, and cannot make one. A
signature that fits the key beside it proves nothing alone: anybody can sign with a key of their
own. So the key is compared with one that was had from the installation.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.contract import Json
from engine.runs.export_manifest import HASH, MANIFEST, SIGNATURE, Fault

_PURPOSE: Final = b"run-studio export signature 1"
_ALGORITHM: Final = "Ed25519"
_MEMBERS: Final = frozenset({"algorithm", "publicKey", "value"})


class Signer:
    def __init__(self, secret_key: str) -> None:
        seed = hmac.digest(secret_key.encode(), _PURPOSE, hashlib.sha256)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> str:
        """In hexadecimal, as a manifest holds it."""
        return self._key.public_key().public_bytes_raw().hex()

    def signed(self, document: dict[str, Json]) -> dict[str, Json]:
        """The document with a signature in its manifest."""
        manifest: dict[str, Any] = document[MANIFEST]
        signature = {
            "algorithm": _ALGORITHM,
            "publicKey": self.public_key,
            "value": self._key.sign(_message(manifest)).hex(),
        }
        return {**document, MANIFEST: {**manifest, SIGNATURE: signature}}


def signed_by(document: dict[str, Json]) -> str:
    """The public key beside the signature; "" where there is none."""
    signature = document[MANIFEST].get(SIGNATURE)
    key = signature.get("publicKey") if isinstance(signature, dict) else None
    return key if isinstance(key, str) else ""


def check_signature(document: dict[str, Json], public_key: str | None = None) -> list[Fault]:
    """Does the signature fit, and is it of `public_key`, where one is given?"""
    part = f"/{MANIFEST}/{SIGNATURE}"
    signature = document[MANIFEST].get(SIGNATURE)
    key = signed_by(document)
    if signature is None:
        return [Fault(part, "is missing")]
    if not key or signature.keys() != _MEMBERS or signature["algorithm"] != _ALGORITHM:
        return [Fault(part, f"is no {_ALGORITHM} signature")]
    if public_key is not None and public_key != key:
        return [Fault(part, f"was made with the key {key}, not with the one given")]
    try:
        verifier = Ed25519PublicKey.from_public_bytes(_bytes(key))
        verifier.verify(_bytes(signature["value"]), _message(document[MANIFEST]))
    except (InvalidSignature, ValueError):
        return [Fault(part, "does not fit the manifest")]
    return []


def _message(manifest: dict[str, Any]) -> bytes:
    return _PURPOSE + b"\n" + str(manifest.get(HASH)).encode("utf-8", "surrogatepass")


def _bytes(text: Json) -> bytes:
    """Only what `hex()` writes: else a letter of another case would pass unseen."""
    data = bytes.fromhex(text) if isinstance(text, str) else b""
    if data.hex() != text:
        raise ValueError("not in hexadecimal")
    return data
