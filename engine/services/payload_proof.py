"""Does a replay have the payload of the run that it replays? Told by keyed fingerprint.

A run's payload never changes, so that what was told once stays true: the newest answers are kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.fingerprint import Fingerprints
from engine.services.run_views import RelatedRun
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
    known = _known([run.run_id]).get(run.run_id)
    if known is not None:
        return known
    found = _payloads(session, [run.replay_of_run_id])
    if not found:
        return None
    return _told(run.run_id, run.input_json, found[run.replay_of_run_id], fingerprints)


def replay_proofs(
    session: Session, run: WorkflowRun, replays: Iterable[RelatedRun], fingerprints: Fingerprints
) -> dict[str, PayloadProof]:
    """Of the runs that replay this one, by their ids."""
    wanted = [replay.run_id for replay in replays]
    proofs = _known(wanted)
    for run_id, payload in _payloads(session, [one for one in wanted if one not in proofs]).items():
        proofs[run_id] = _told(run_id, payload, run.input_json, fingerprints)
    return proofs


def _payloads(session: Session, run_ids: list[str]) -> dict[str, Json]:
    if not run_ids:
        return {}
    query = select(WorkflowRun.run_id, WorkflowRun.input_json)
    found = session.execute(query.where(WorkflowRun.run_id.in_(run_ids)))
    return {row.run_id: row.input_json for row in found}


def _known(run_ids: list[str]) -> dict[str, PayloadProof]:
    with _lock:
        return {run_id: _kept[run_id] for run_id in run_ids if run_id in _kept}


def _told(run_id: str, new: Json, old: Json, fingerprints: Fingerprints) -> PayloadProof:
    # A run from before the cut-over may have none: a replay of it has an empty one.
    old = {} if old is None else old
    proof = PayloadProof(fingerprints.of(new), fingerprints.equal(new, old))
    with _lock:
        _kept[run_id] = proof
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return proof
