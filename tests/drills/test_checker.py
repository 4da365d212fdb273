"""The checker finds what a drill is to find: without that, its silence would mean nothing.

One run of every document is executed on a real Temporal. Its rows are compared as they are, and
then with one thing in them that is not so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.databases import SqliteDatabases
from tests.drills.checker import Promised, of_promises
from tests.drills.compare import faults_of
from tests.drills.corruptions import CORRUPTIONS, OTHER, Corrupt
from tests.drills.documents import shape_of
from tests.drills.effects import of_effects, of_outcome, read_effects
from tests.drills.evidence import Evidence
from tests.drills.retold import Chain
from tests.drills.sample import Sample, a_sample
from tests.integration.temporal.conftest import migrate

pytestmark = [pytest.mark.temporal, pytest.mark.drill, pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def sample(
    sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sample]:
    directory = tmp_path_factory.mktemp("sample")
    with a_sample(directory, sqlite_databases.create(directory, migrate)) as made:
        yield made


def faults(sample: Sample, found: Evidence, chain: Chain | None) -> list[str]:
    shape, effects = shape_of(found.key), read_effects(sample.effects)
    return [
        *faults_of(found, chain),
        *of_effects(found, shape, effects.get(found.run.run_id, Counter())),
        *of_outcome(found, shape),
    ]


def test_what_is_true_has_no_fault(sample: Sample) -> None:
    assert len(sample.evidence) >= 19
    for key, found in sample.evidence.items():
        assert faults(sample, found, sample.chain(key)) == [], key


def test_the_sample_holds_what_is_corrupted_below(sample: Sample) -> None:
    assert len(sample.chain("goes-on-as-new").histories) > 1
    assert sample.evidence["large"].values
    assert {row.status for row in sample.evidence["tried-again"].steps} == {
        "RETRY_SCHEDULED",
        "SUCCEEDED",
        "FAILED",
    }
    statuses = {row.status for row in sample.evidence["by-event"].deliveries}
    assert statuses == {"OBSERVED"}


@pytest.mark.parametrize(
    ("key", "corrupt", "words"),
    [given[1:] for given in CORRUPTIONS],
    ids=[given[0] for given in CORRUPTIONS],
)
def test_a_row_that_is_not_so_is_found(
    sample: Sample, key: str, corrupt: Corrupt, words: str
) -> None:
    found = deepcopy(sample.evidence[key])
    corrupt(found)
    said = faults(sample, found, sample.chain(key))
    assert words in "\n".join(said), said


@pytest.mark.parametrize("key", ["loop", "canceled", "called-and-fails"])
def test_a_run_that_temporal_does_not_know_is_found(sample: Sample, key: str) -> None:
    said = "\n".join(faults(sample, sample.evidence[key], None))
    assert "claimed, and Temporal does not know it" in said


def test_a_launch_that_was_refused_is_no_fault_where_temporal_knows_nothing(
    sample: Sample,
) -> None:
    run = deepcopy(sample.evidence["loop"].run)
    vars(run).update(status="FAILED", claimed_by=None, error_json={"code": "TEMPORAL_UNAVAILABLE"})
    assert faults_of(Evidence(run, "loop"), None) == []


def test_another_history_is_found(sample: Sample) -> None:
    said = faults(sample, sample.evidence["loop"], sample.chain("quick-chain"))
    assert len(said) > 5


def test_an_execution_that_is_missing_is_found(sample: Sample) -> None:
    chain = deepcopy_chain(sample.chain("goes-on-as-new"))
    del chain.histories[0]
    said = "\n".join(faults(sample, sample.evidence["goes-on-as-new"], chain))
    assert "has the ordinal 1" in said


def test_a_history_that_does_not_fit_the_code_is_found(sample: Sample) -> None:
    chain = deepcopy_chain(sample.chain("loop"))
    chain.misfits = ["nondeterminism"]
    assert "cannot be replayed" in "\n".join(faults(sample, sample.evidence["loop"], chain))


def deepcopy_chain(chain: Chain) -> Chain:
    return Chain(chain.workflow_id, list(chain.histories), list(chain.told))


@pytest.mark.parametrize(
    ("times", "words"), [(0, "never took effect"), (1, ""), (2, "took effect 2 times")]
)
def test_effects_are_counted(sample: Sample, times: int, words: str) -> None:
    found = sample.evidence["send-once"]
    seen = read_effects(sample.effects)[found.run.run_id]
    assert list(of_effects(found, shape_of(found.key), seen)) == []
    changed = Counter(dict.fromkeys(seen, times))
    said = list(of_effects(found, shape_of(found.key), changed))
    assert (words in "\n".join(said)) if words else said == []


def test_an_effect_that_nobody_asked_for_is_found(sample: Sample) -> None:
    found = sample.evidence["send-once"]
    seen = read_effects(sample.effects)[found.run.run_id] + Counter({("drill.once", "other"): 1})
    said = list(of_effects(found, shape_of(found.key), seen))
    assert "which the ledger does not know" in "\n".join(said)


@pytest.mark.parametrize(
    ("key", "values", "words"),
    [
        ("loop", {"status": "FAILED", "error_json": {"category": "ActionError"}}, "FAILED: "),
        ("send-once", {"status": "FAILED", "error_json": {"category": "OutcomeUnknown"}}, ""),
        ("loop", {"status": "CANCELED", "error_json": {"code": "STOPPED"}}, "nobody asked for it"),
        ("canceled", {"status": "SUCCEEDED"}, "waits for what never comes"),
    ],
)
def test_a_run_ends_as_its_document_may(
    sample: Sample, key: str, values: dict[str, Any], words: str
) -> None:
    found = deepcopy(sample.evidence[key])
    vars(found.run).update(values)
    said = list(of_outcome(found, shape_of(key)))
    assert (words in "\n".join(said)) if words else said == []


def test_what_was_promised_and_is_lost_is_found(sample: Sample) -> None:
    runs = list(sample.evidence.values())
    task = sample.evidence["by-hand"].tasks[0]
    kept = Promised(
        frozenset(one.run.run_id for one in runs),
        {task.task_id: {"ok": True}},
        frozenset({sample.evidence["canceled"].run.run_id}),
    )
    assert of_promises(runs, kept) == []
    lost = Promised(
        frozenset({OTHER}),
        {task.task_id: {"ok": False}, OTHER: {}},
        frozenset({sample.evidence["loop"].run.run_id}),
    )
    assert len(of_promises(runs, lost)) == 4


def test_a_fire_that_gave_two_runs_is_found(sample: Sample) -> None:
    run = deepcopy(sample.evidence["loop"])
    run.run.trigger_fire_key = "schedule:1:now"
    nothing = Promised(frozenset(), {}, frozenset())
    assert of_promises([run, run], nothing) == ["schedule:1:now was fired 2 times"]
