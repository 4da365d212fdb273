"""What strict JSON accepts, both databases give back equal (docs/rules.md 8)."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from engine.errors import Invalid
from engine.runs import strict_json
from engine.store.session import Store
from engine.store.tables import WorkflowRun
from tests import builders

_NUMBERS = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=-(2.0**53), max_value=2.0**53),
    st.sampled_from([0.0, -0.0, 1.0, 1e-7, 5e-324, 0.1 + 0.2, 2.0**53 - 1, 2**53, 2**63, -(2**64)]),
)
_TEXT = st.one_of(
    st.text(), st.sampled_from(["\u2028", "\x1f", "\x7f", "é", "e\u0301", "😀", "\\u0000"])
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(_TEXT, inner, max_size=5)),
    max_leaves=25,
)
_ONE_STORE = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_ONE_STORE
@given(value=_VALUES)
@example(value={"b": 1, "a": [1.0, 1, -0.0, None, {"": ""}]})
@example(value=[[[[None]]]])
@example(value=2**63)
@example(value=1.0)
@example(value="1.0")
@example(value={"aa": 1, "b": 2, "A": 3, "ä": 4})
def test_a_payload_reads_back_equal(store: Store, value: Any) -> None:
    try:
        accepted = strict_json.normal(value)
    except Invalid:
        return
    kept = stored_and_read(store, accepted)
    assert strict_json.canonical(kept) == strict_json.canonical(accepted)
    assert same(kept, accepted)


def stored_and_read(store: Store, value: Any) -> Any:
    run_id = "6f1c0f0e-0000-4000-8000-000000000001"
    with store.reading() as session:
        there = session.get(WorkflowRun, run_id) is not None
    if not there:
        of, _ = builders.published(store)
        builders.save(store, builders.run(of, run_id=run_id))
    with store.writing() as session:
        session.execute(
            update(WorkflowRun).where(WorkflowRun.run_id == run_id).values(input_json=value)
        )
    with store.reading() as session:
        return session.get_one(WorkflowRun, run_id).input_json


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1 is not 1.0 and not true, 0.0 is not -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return bool(one == other)
