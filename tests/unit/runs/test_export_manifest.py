"""A byte of an exported file that is changed is found, and the part is named in which it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs import export_manifest
from engine.runs.export_manifest import NoExport
from engine.runs.export_signature import Signer, check_signature, signed_by

SIGNER = Signer("a key of tests")


def a_run(number: int, *children: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": {"id": f"run-{number}", "input": {"a": 1.5, "ünal": [True, None, 10**20, 1e-7]}},
        "steps": [{"path": "root.steps[0]", "output": {"b": [number]}}],
        "logs": [],
        "children": list(children),
    }


def exported(**more: Any) -> dict[str, Any]:
    child = {"id": "run-2", "status": "FAILED"} | a_run(2, {"id": "run-4", "status": "RUNNING"})
    body = a_run(1, child, {"id": "run-3", "status": "FAILED"} | a_run(3)) | more
    return SIGNER.signed(export_manifest.sealed(body, {"runId": "run-1"}))


def faults(document: dict[str, Any]) -> dict[str, str]:
    found = export_manifest.check(document) + check_signature(document)
    return {fault.part: fault.problem for fault in found}


FILE = json.dumps(exported(), indent=2, ensure_ascii=False).encode()


def test_what_was_exported_holds_however_it_is_laid_out() -> None:
    assert faults(export_manifest.read(FILE)) == {}
    for layout in ({"separators": (",", ":")}, {"sort_keys": True}, {"ensure_ascii": True}):
        again = json.dumps(exported(), **layout)  # type: ignore[arg-type]
        assert faults(export_manifest.read(again)) == {}


@given(at=st.integers(0, len(FILE) - 1), by=st.integers(1, 255))
def test_no_changed_byte_passes_unless_the_values_are_the_same(at: int, by: int) -> None:
    changed = bytearray(FILE)
    changed[at] ^= by
    try:
        document = export_manifest.read(bytes(changed))
    except NoExport:
        return
    if export_manifest.canonical(document) != export_manifest.canonical(exported()):
        assert faults(document)


CHANGES = [
    ("/run", lambda d: d["run"].update(status="SUCCEEDED")),
    ("/run", lambda d: d["run"]["input"].update(a=1.25)),
    ("/run", lambda d: d["run"]["input"]["ünal"].__setitem__(2, 10**20 + 1)),
    ("/steps", lambda d: d["steps"].clear()),
    ("/children/0", lambda d: d["children"][0].update(status="SUCCEEDED")),
    ("/children/0/steps", lambda d: d["children"][0]["steps"][0].update(path="root.steps[1]")),
    ("/children/0/children/0", lambda d: d["children"][0]["children"][0].update(id="run-5")),
    ("/children/0/children/0", lambda d: d["children"][0]["children"].pop()),
    ("/children/1/run", lambda d: d["children"].pop()),
    ("/children", lambda d: d.pop("children")),
    ("/more", lambda d: d.update(more=[1])),
    ("", lambda d: d.update(more=1)),
    ("/children/2", lambda d: d["children"].append({"id": "run-9"})),
    ("/manifest", lambda d: d["manifest"].update(runId="run-2")),
    ("/manifest", lambda d: d["manifest"].update(more=1)),
    ("/manifest", lambda d: d["manifest"]["parts"].pop("/logs")),
    ("/manifest/parts", lambda d: d["manifest"].update(parts=[])),
    ("/manifest/signature", lambda d: d["manifest"].pop("signature")),
    ("/manifest/signature", lambda d: d["manifest"]["signature"].update(more=1)),
    ("/manifest/signature", lambda d: d["manifest"]["signature"].update(publicKey="aa")),
    (
        "/manifest/signature",
        lambda d: d["manifest"]["signature"].update(
            value=d["manifest"]["signature"]["value"].upper()
        ),
    ),
]


@pytest.mark.parametrize(("part", "change"), CHANGES)
def test_the_changed_part_is_named(part: str, change: Any) -> None:
    document = export_manifest.read(FILE)
    change(document)
    assert part in faults(document)


def test_hashes_made_anew_are_told_by_the_signature() -> None:
    document = exported()
    body = {name: value for name, value in document.items() if name != "manifest"}
    forged = export_manifest.sealed(body | {"steps": []}, {"runId": "run-1"})
    forged["manifest"]["signature"] = document["manifest"]["signature"]
    assert faults(forged) == {"/manifest/signature": "does not fit the manifest"}


def test_a_file_that_another_installation_signed_is_told_by_the_key() -> None:
    theirs = Signer("another key").signed(exported())
    assert check_signature(theirs) == []
    assert signed_by(theirs) != SIGNER.public_key
    [fault] = check_signature(theirs, SIGNER.public_key)
    assert "not with the one given" in fault.problem


NO_EXPORTS = [b"", b"{", b"[]", b"1", b'{"a": 1, "a": 2}', b'{"manifest": []}', b'{"run": NaN}',
              b'{"manifest": {"format": 1}}', b"\xff\xfe", b"[" * 100_000,
              b'{"manifest": {"format": 2}, "a": ' + b"[" * 500 + b"]" * 500 + b"}"]  # fmt: skip


@pytest.mark.parametrize("text", NO_EXPORTS)
def test_what_is_no_export_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(NoExport):
        export_manifest.read(text)


@pytest.mark.parametrize("signature", [None, 1, [], {}, {"publicKey": 1}, {"publicKey": "zz"}])
def test_a_signature_of_any_shape_is_refused_and_not_stumbled_over(signature: Any) -> None:
    document = exported()
    document["manifest"]["signature"] = signature
    assert check_signature(document)
