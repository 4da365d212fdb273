"""The checker finds what a drill is to find: without that, its silence would mean nothing.

One run of every document is executed on a real Temporal. Its rows are compared as they are, and
then with one thing in them that is not so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.databases import SqliteDatabases
from tests.drills.checker import Promised, of_promises
from tests.drills.compare import faults_of
from tests.drills.documents import shape_of
from tests.drills.effects import of_effects, of_outcome, read_effects
from tests.drills.evidence import Evidence, Row
from tests.drills.retold import Chain
from tests.drills.sample import Sample, a_sample
from tests.integration.temporal.conftest import migrate

pytestmark = [pytest.mark.temporal, pytest.mark.drill, pytest.mark.timeout(200)]

Corrupt = Callable[[Evidence], object]


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


def step(found: Evidence, name: str = "", **where: Any) -> Row:
    wanted = {"definition_step_id": name, **where} if name else where
    return next(row for row in found.steps if wanted.items() <= vars(row).items())


def set_on(rows: str, **values: Any) -> Corrupt:
    """The last of those rows says something else."""

    def corrupt(found: Evidence) -> None:
        there = getattr(found, rows)
        vars(there if isinstance(there, SimpleNamespace) else there[-1]).update(values)

    return corrupt


def moved(rows: str, column: str) -> Corrupt:
    def corrupt(found: Evidence) -> None:
        there = getattr(found, rows)
        row = there if isinstance(there, SimpleNamespace) else there[-1]
        setattr(row, column, getattr(row, column) + timedelta(seconds=90))

    return corrupt


def without(rows: str) -> Corrupt:
    return lambda found: getattr(found, rows).pop()


def doubled(rows: str, **values: Any) -> Corrupt:
    def corrupt(found: Evidence) -> None:
        row = deepcopy(getattr(found, rows)[-1])
        vars(row).update(values)
        getattr(found, rows).append(row)

    return corrupt


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


OTHER = "01234567-89ab-4cde-8f01-23456789abcd"

CORRUPTIONS: list[tuple[str, str, Corrupt, str]] = [
    # The run's row.
    ("another status", "loop", set_on("run", status="CANCELED"), "CANCELED here, SUCCEEDED in"),
    ("never ended", "loop", set_on("run", status="RUNNING"), "RUNNING here, COMPLETED in"),
    ("failed here alone", "canceled", set_on("run", status="FAILED"), "FAILED here, CANCELED in"),
    ("an error", "loop", set_on("run", error_json={"code": "STOPPED"}), "its error is"),
    (
        "another error code",
        "called-and-fails",
        set_on("run", error_json={"category": "TransientError", "code": "OTHER"}),
        "its error is",
    ),
    ("no end", "loop", set_on("run", completed_at=None), "ended at no time"),
    ("another end", "loop", moved("run", "completed_at"), "it ended at"),
    ("claimed by another", "loop", set_on("run", claimed_by=OTHER), "claimed by"),
    ("not claimed", "loop", set_on("run", claimed_by=None), "claimed by None"),
    ("claimed at no time", "loop", set_on("run", claimed_at=None), "claimed at no time"),
    ("another execution", "loop", set_on("run", temporal_run_id=OTHER), "its execution is"),
    ("another workflow", "loop", set_on("run", temporal_workflow_id="run-1"), "workflow id"),
    ("still somewhere", "loop", set_on("run", node_path="root.steps[0]"), "stands at"),
    # Steps.
    ("a step is gone", "loop", without("steps"), "no row of"),
    ("a step too many", "loop", doubled("steps", occurrence="root.x"), "knows nothing of it"),
    ("an attempt too many", "loop", doubled("steps", attempt=2), "knows nothing of it"),
    ("one attempt twice", "loop", doubled("steps"), "two rows of one attempt"),
    ("a step's status", "loop", set_on("steps", status="FAILED"), "is FAILED, in Temporal"),
    ("a step is open", "loop", set_on("steps", status="STARTED"), "is STARTED in a run that"),
    ("a retry is open", "loop", set_on("steps", status="RETRY_SCHEDULED"), "RETRY_SCHEDULED in a"),
    ("superseded", "loop", set_on("steps", superseded=True), "is superseded, and the history"),
    ("a step's output", "loop", set_on("steps", output_json={"value": 9}), "another output"),
    ("a step's input", "loop", set_on("steps", input_json={"key": "x"}), "another input"),
    ("a step's error", "loop", set_on("steps", error_json={"code": "X"}), "has the error"),
    ("a step's place", "loop", set_on("steps", position=99), "another position: 99"),
    ("a step's beginning", "loop", moved("steps", "started_at"), "another beginning"),
    (
        "a step's end",
        "by-event",
        lambda found: setattr(step(found, "go"), "completed_at", found.run.started_at),
        "another end",
    ),
    ("a step without end", "loop", set_on("steps", completed_at=None), "ended at no time"),
    (
        "not handled",
        "tried-again",
        lambda found: setattr(step(found, "hopeless", status="FAILED"), "handled", False),
        "another handling",
    ),
    (
        "an error that is gone",
        "tried-again",
        lambda found: setattr(step(found, "hopeless", status="FAILED"), "error_json", None),
        "has the error None",
    ),
    (
        "a retry that succeeded",
        "tried-again",
        lambda found: setattr(step(found, "flaky", attempt=1), "status", "SUCCEEDED"),
        "is SUCCEEDED, in Temporal RETRY_SCHEDULED",
    ),
    ("a stored value is gone", "large", lambda found: found.values.clear(), "is gone"),
    (
        "another stored value",
        "large",
        lambda found: found.values.update({name: {"text": ""} for name in found.values}),
        "is another one",
    ),
    # Waits, tasks, deliveries.
    ("a wait is gone", "waiting", without("waits"), "no row of the time wait"),
    ("a wait too many", "waiting", doubled("waits", wait_id=OTHER), "knows nothing of it"),
    ("an open wait", "waiting", set_on("waits", status="WAITING"), "is open in a run that"),
    (
        "a wait's outcome",
        "waiting",
        set_on("waits", status="CANCELED"),
        "another outcome: CANCELED",
    ),
    ("a wait's end", "waiting", moved("waits", "resolved_at"), "another end"),
    ("a wait's time-out", "waiting", moved("waits", "timeout_at"), "another time-out"),
    ("a wait's kind", "waiting", set_on("waits", wait_type="human"), "another kind: human"),
    (
        "another event",
        "by-event",
        lambda found: [vars(row).update(payload={"matchedEventId": OTHER}) for row in found.waits],
        f"another event: {OTHER}",
    ),
    ("a task is gone", "by-hand", without("tasks"), "no row of the task"),
    ("a task is open", "by-hand", set_on("tasks", status="OPEN"), "is OPEN, in Temporal"),
    ("another answer", "by-hand", set_on("tasks", answer_json={"ok": False}), "another answer"),
    ("another form", "by-hand", set_on("tasks", answer_token="b"), "of another form"),
    ("a task too many", "by-hand", doubled("tasks", task_id=OTHER), "knows nothing of it"),
    ("a delivery is gone", "by-event", without("deliveries"), "its delivery does not say so"),
    ("never told", "by-event", set_on("deliveries", status="PENDING"), "is PENDING in a run"),
    (
        "observed by nobody",
        "by-event",
        doubled("deliveries", event_id=OTHER),
        "has ended no wait",
    ),
    # Children.
    ("a child is gone", "calls", without("children"), "of which there is no row"),
    ("a child too many", "calls", doubled("children", run_id=OTHER), "it has called none such"),
    ("a child's status", "calls", set_on("children", status="FAILED"), "in its history SUCCEEDED"),
    ("another root", "calls", set_on("children", root_run_id=OTHER), "has the root"),
    # The ledger, the counter.
    ("a call is open", "send-once", set_on("calls", status="STARTED"), "is STARTED in a run"),
    ("a call failed", "send-once", set_on("calls", status="FAILED"), "ledger does not say so"),
    ("a call is gone", "quick-chain", without("calls"), "ledger does not"),
    ("a call twice", "send-once", doubled("calls", idempotency_key="x"), "is doubled"),
    ("another result", "large", set_on("calls", output_json=1), "another output than the ledger"),
    ("counted twice", "loop", lambda found: setattr(found, "counted", 9), "not exact"),
]


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
