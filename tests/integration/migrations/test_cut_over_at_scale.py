"""The cut-over of thousands of runs: its time, its readers, and a kill -9 in the middle.

`python -m benchmarks.cut_over` holds the same to a million runs (benchmarks/RESULTS-cut-over.md).
"""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from benchmarks import cut_over_figures as figures
from benchmarks.cut_over_rows import Size, build
from engine.store import cut_over, schema

SIZE = Size(runs=20_000, stranded=2_500)
SLACK_S = 1.0
"""Of a machine that does other things meanwhile."""


@pytest.fixture
def many(engine: Engine) -> Engine:
    build(engine, SIZE)
    return engine


def test_the_rows_are_those_that_the_figures_speak_of(many: Engine) -> None:
    with many.connect() as connection:
        told = cut_over.forecast(connection, [])
    assert told.runs == SIZE.stranded
    assert told.closed == {
        "workflow_run_waits": SIZE.open_waits,
        "workflow_run_steps": SIZE.stranded,
        "workflow_action_invocations": SIZE.stranded,
        "workflow_tasks": SIZE.stranded,
    }


def test_it_takes_twice_the_bare_updates_at_most_and_readers_go_on(many: Engine) -> None:
    bare = figures.bare_updates(many, keep=False)
    with figures.readers(many) as waits, figures.clock() as spent:
        schema.upgrade(many, "0002")
    assert figures.still_open(many) == {}
    assert figures.canceled(many) == SIZE.stranded
    assert max(waits) < 1.0
    assert spent["indexes"] + spent["batches"] < 2 * bare + SLACK_S


def test_killed_in_the_middle_it_is_started_again_and_then_changes_nothing_more(
    many: Engine,
) -> None:
    schema.stamp(many, "0001")
    done = figures.upgrade_and_kill(many)
    if many.dialect.name == "postgresql":
        assert 0 < done < SIZE.stranded
        assert done % cut_over.BATCH == 0
    else:
        assert done == 0
    assert schema.current(many) == "0001"
    schema.upgrade(many)
    assert figures.canceled(many) == SIZE.stranded
    assert figures.still_open(many) == {}
    once = figures.fingerprint(many)
    schema.upgrade(many)
    schema.stamp(many, "0001")
    schema.upgrade(many)
    assert figures.fingerprint(many) == once
