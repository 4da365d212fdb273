"""Does a replay have the payload of the run that it replays? Told by keyed fingerprint.

A run's payload never changes, so that what was told once stays true: the newest answers are kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.runs.fingerprint import Fingerprints
from engine.store.runs import WorkflowRun

_KEPT: Final = 1024

_lock: Final = threading.Lock()
_kept: Final[OrderedDict[str, PayloadProof]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class PayloadProof:
    fingerprint: str
    """Of the replay's payload, masked values too."""
    equal: bool
    """The replayed run's has the same."""


def payload_proof(
    session: Session, run: WorkflowRun, fingerprints: Fingerprints
) -> PayloadProof | None:
    """None: it is no replay, or the run that it replays is gone."""
    if run.replay_of_run_id is None:
        return None
    with _lock:
        known = _kept.get(run.run_id)
    if known is not None:
        return known
    replayed = session.execute(
        select(WorkflowRun.input_json).where(WorkflowRun.run_id == run.replay_of_run_id)
    ).one_or_none()
    if replayed is None:
        return None
    # A run from before the cut-over may have none: a replay of it has an empty one.
    old = {} if replayed.input_json is None else replayed.input_json
    proof = PayloadProof(fingerprints.of(run.input_json), fingerprints.equal(run.input_json, old))
    with _lock:
        _kept[run.run_id] = proof
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return proof
