"""Whether an exported file is as it was exported, and what it says of itself, for people.

Without a database, Temporal, settings or a network: `flask runs verify FILE`, and where the product
is not installed `python -m scripts.verify_export FILE` (docs/operating.md, Exports).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.contract import Json
from engine.runs import export_manifest
from engine.runs.export_manifest import MANIFEST, Fault, NoExport
from engine.runs.export_signature import check_signature, signed_by

_MUST_SAY: Final = {
    "product": dict,
    "redactionPolicy": dict,
    "runId": str,
    "exportedAt": str,
    "exportedBy": str,
    "counts": dict,
    "leftOut": list,
    "openRuns": list,
}


@dataclass(frozen=True, slots=True)
class Verified:
    faults: tuple[Fault, ...] = ()
    manifest: dict[str, Json] = field(default_factory=dict)
    """Empty: it could not be read."""
    histories: list[Json] = field(default_factory=list)
    public_key: str = ""
    """With which it was signed."""

    @property
    def holds(self) -> bool:
        return not self.faults


def verify(text: bytes, public_key: str | None = None) -> Verified:
    """`public_key`: the file must have been signed with this one."""
    try:
        document = export_manifest.read(text)
    except NoExport as error:
        return Verified((Fault("", f"is no exported run, or was damaged: {error}"),))
    faults = export_manifest.check(document) + check_signature(document, public_key)
    if not faults and not _says_what_it_must(document[MANIFEST]):
        faults = [Fault(f"/{MANIFEST}", "was not written by this program")]
    histories = document.get("histories")
    return Verified(
        tuple(faults),
        document[MANIFEST],
        histories if isinstance(histories, list) else [],
        signed_by(document),
    )


def said(verified: Verified) -> Iterator[str]:
    """Line by line. What the manifest says is repeated only when it holds."""
    for fault in verified.faults:
        yield f"CHANGED  {fault.part or '(the file)'} {fault.problem}"
    if not verified.holds:
        yield "This file is not as it was exported."
        return
    manifest = verified.manifest
    product, policy = manifest["product"], manifest["redactionPolicy"]
    yield f"ok       {len(manifest['parts'])} parts are as they were exported"
    yield f"run      {manifest['runId']}: {_counted(manifest['counts'])}"
    yield f"exported {manifest['exportedAt']} by {manifest['exportedBy']}"
    made_by = f"{product.get('name')} {product.get('version')}"
    yield f"from     {made_by}, redaction policy {policy.get('version')}"
    yield f"signed   with the key {verified.public_key}"
    for cut in manifest["leftOut"]:
        yield f"left out {cut.get('part')}: {cut.get('kept')} of {cut.get('of')} are in the file"
    for missing in manifest.get("runsWithoutHistory", ()):
        yield f"left out the history of run {missing.get('runId')}: {missing.get('why')}"
    if manifest["openRuns"]:
        yield f"open     {len(manifest['openRuns'])} of the runs had not ended when it was exported"


def _says_what_it_must(manifest: dict[str, Json]) -> bool:
    """Anybody can sign a manifest of their own."""
    return all(isinstance(manifest.get(name), kind) for name, kind in _MUST_SAY.items())


def _counted(counts: dict[str, Json]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items() if number)
