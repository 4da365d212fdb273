"""The final scopes of a child run on their way to the parent's output mapping.

{"text"}: the JSON of {"scopes", "refs"}. Text, because what carries JSON sorts the keys of objects,
and their order is something that expressions see; `refs` says where large values stand in it, as
in a checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.contract import Json
from engine.interpreter.reference_paths import Path, put_back, taken_out


def pack(scopes: Mapping[str, Json]) -> dict[str, Json]:
    refs: list[Path] = []
    plain = taken_out(dict(scopes), ["scopes"], refs)
    state = {"scopes": plain, "refs": refs}
    return {"text": json.dumps(state, ensure_ascii=False, separators=(",", ":"))}


def unpack(packed: Mapping[str, Json]) -> dict[str, Json]:
    state = json.loads(packed["text"])
    for path in state["refs"]:
        put_back(state, path)
    scopes: dict[str, Json] = state["scopes"]
    return scopes
