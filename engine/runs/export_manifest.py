"""What an exported file says of itself, and whether it still holds (docs/operating.md, Exports).

The file is cut into parts, each named by its JSON pointer, and the manifest has a SHA-256 of each:
a part is the canonical text of the value at its pointer, without what is a part of its own. Cut are
the lists of called runs and of histories into their items, and each item into its lists and
objects. The hashes are of values: a file that was laid out anew still holds.

A hash proves that a part is as it was exported to somebody who knows that the manifest is; the
manifest is vouched for by its signature alone (`engine.runs.export_signature`). This module needs
nothing but Python's own library, so that a file can be verified where the product is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from engine.contract import Json
from engine.runs.strict_json import canonical, child_pointer

FORMAT: Final = 2
MANIFEST: Final = "manifest"
SIGNATURE: Final = "signature"
HASH: Final = "sha256"
CANONICAL: Final = (
    "JSON in UTF-8 without spaces, keys sorted by code point, integers in full, "
    "other numbers in the shortest form that reads back equal (RFC 8785 but for numbers)"
)
_SPLIT: Final = frozenset({"children", "histories"})
_DEEPEST: Final = 200


@dataclass(frozen=True, slots=True)
class Fault:
    part: str
    """A JSON pointer, or "" for the whole file."""
    problem: str


class NoExport(ValueError):
    """This is no file that Export has written, or it was cut off or damaged beyond reading."""


def sealed(body: dict[str, Json], facts: dict[str, Json]) -> dict[str, Json]:
    """`body` with a manifest of `facts` and the hashes of all parts before it."""
    manifest = {
        "format": FORMAT,
        **facts,
        "canonical": CANONICAL,
        "hash": HASH,
        "parts": {part: digest(value) for part, value in parts_of(body)},
    }
    return {MANIFEST: {**manifest, HASH: manifest_digest(manifest)}, **body}


def parts_of(body: dict[str, Json], at: str = "") -> Iterator[tuple[str, Json]]:
    """Each part's pointer with what is hashed of it."""
    own: dict[str, Json] = {}
    for name, value in body.items():
        here = child_pointer(at, name)
        if name in _SPLIT and isinstance(value, list):
            yield here, []
            for index, item in enumerate(value):
                below = child_pointer(here, index)
                if isinstance(item, dict):
                    yield from parts_of(item, below)
                else:
                    yield below, item
        elif isinstance(value, dict | list):
            yield here, value
        else:
            own[name] = value
    if own or at:
        yield at, own


def digest(value: Json) -> str:
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def manifest_digest(manifest: dict[str, Json]) -> str:
    """Of the manifest without its own hash and its signature."""
    return digest({name: item for name, item in manifest.items() if name not in {HASH, SIGNATURE}})


def file_text(document: dict[str, Json]) -> str:
    """As it is saved: for people too."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(text: str | bytes) -> dict[str, Json]:
    """An exported file. Raises `NoExport`."""
    try:
        document: Json = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise NoExport("it is nested too deeply") from None
    except ValueError as error:
        raise NoExport(f"it is not valid JSON: {error}") from None
    manifest = document.get(MANIFEST) if isinstance(document, dict) else None
    if not isinstance(manifest, dict):
        raise NoExport("it has no manifest")
    if manifest.get("format") != FORMAT:
        raise NoExport(f"its format is {manifest.get('format')!r}; this program reads {FORMAT}")
    if _nesting(document) > _DEEPEST:
        raise NoExport("it is nested too deeply")
    return dict(document)


def check(document: dict[str, Json]) -> list[Fault]:
    """Every part that is not as the manifest says; the manifest itself among them."""
    manifest: dict[str, Json] = document[MANIFEST]
    faults = []
    if manifest.get(HASH) != manifest_digest(manifest):
        faults.append(Fault(f"/{MANIFEST}", "is not as it was exported"))
    stated = manifest.get("parts")
    if not isinstance(stated, dict):
        return [*faults, Fault(f"/{MANIFEST}/parts", "is no list of hashes")]
    body = {name: value for name, value in document.items() if name != MANIFEST}
    found = {part: digest(value) for part, value in parts_of(body)}
    for part, expected in stated.items():
        if part not in found:
            faults.append(Fault(part, "is missing"))
        elif found[part] != expected:
            faults.append(Fault(part, "is not as it was exported"))
    faults += [Fault(part, "was added") for part in found if part not in stated]
    return faults


def _nesting(value: Json) -> int:
    """Without recursion: the file is somebody else's."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
    return deepest


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
