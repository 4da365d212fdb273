"""The retry policy as a pure function (docs/authoring.md, Retry and errors)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.fields import TEN_YEARS_MS
from engine.interpreter.retry import next_delay_ms, retry_seed

TRANSIENT = {"category": "TransientError"}
PLAIN = {"maxAttempts": 3, "backoffMs": 1000, "jitter": False}


def test_delays_double_by_default_and_end_with_the_attempts() -> None:
    assert [next_delay_ms(PLAIN, attempt, TRANSIENT, "s") for attempt in (1, 2, 3)] == [
        1000,
        2000,
        None,
    ]


def test_no_policy_is_no_retry() -> None:
    assert next_delay_ms(None, 1, TRANSIENT, "s") is None


@pytest.mark.parametrize(
    ("category", "retried"),
    [
        ("TransientError", True),
        ("TimeoutError", True),
        ("ActionError", False),
        ("ValidationError", False),
        ("ExpressionError", False),
        ("OutcomeUnknown", False),
        ("ChildWorkflowError", False),
        ("StateTooLarge", False),
    ],
)
def test_without_retry_on_only_transient_errors_and_timeouts_are_retried(
    category: str, retried: bool
) -> None:
    assert (next_delay_ms(PLAIN, 1, {"category": category}, "s") is not None) is retried


def test_retry_on_replaces_the_default() -> None:
    policy = {**PLAIN, "retryOn": ["ActionError"]}

    assert next_delay_ms(policy, 1, {"category": "ActionError"}, "s") == 1000
    assert next_delay_ms(policy, 1, TRANSIENT, "s") is None
    assert next_delay_ms({**PLAIN, "retryOn": []}, 1, TRANSIENT, "s") is None


@pytest.mark.parametrize("category", ["Cancellation", "InterpreterError"])
def test_what_nobody_can_catch_is_not_retried_either(category: str) -> None:
    assert next_delay_ms({**PLAIN, "retryOn": [category]}, 1, {"category": category}, "s") is None


def test_a_childs_failure_is_matched_by_its_cause_too() -> None:
    error = {"category": "ChildWorkflowError", "details": {"cause": {"category": "TimeoutError"}}}
    other = {"category": "ChildWorkflowError", "details": {"cause": {"category": "ActionError"}}}

    assert next_delay_ms(PLAIN, 1, error, "s") == 1000
    assert next_delay_ms(PLAIN, 1, other, "s") is None
    assert next_delay_ms({**PLAIN, "retryOn": ["ChildWorkflowError"]}, 1, other, "s") == 1000


def test_a_cause_counts_for_a_child_only() -> None:
    error = {"category": "ActionError", "details": {"cause": {"category": "TimeoutError"}}}

    assert next_delay_ms(PLAIN, 1, error, "s") is None


def test_retry_after_makes_the_delay_longer_and_never_shorter() -> None:
    long = {"category": "TransientError", "details": {"retryAfterMs": 5000}}
    short = {"category": "TransientError", "details": {"retryAfterMs": 5}}

    assert next_delay_ms(PLAIN, 1, long, "s") == 5000
    assert next_delay_ms(PLAIN, 1, short, "s") == 1000


@pytest.mark.parametrize("after", ["soon", None, True, -5, [1]])
def test_a_retry_after_that_is_none_is_ignored(after: object) -> None:
    error = {"category": "TransientError", "details": {"retryAfterMs": after}}

    assert next_delay_ms(PLAIN, 1, error, "s") == 1000


def test_max_delay_caps_backoff_jitter_and_retry_after() -> None:
    policy = {"maxAttempts": 99, "backoffMs": 1000, "maxDelayMs": 1500}
    error = {"category": "TransientError", "details": {"retryAfterMs": 60_000}}

    assert next_delay_ms(policy, 1, error, "s") == 1500
    assert all(next_delay_ms(policy, n, TRANSIENT, "s") <= 1500 for n in range(1, 90))  # type: ignore[operator]


@given(st.text(), st.integers(1, 50))
def test_jitter_is_a_fifth_up_or_down_and_the_same_every_time(seed: str, attempt: int) -> None:
    policy = {"maxAttempts": 99, "backoffMs": 1000, "backoffMultiplier": 1}

    delay = next_delay_ms(policy, attempt, TRANSIENT, seed)

    assert delay is not None
    assert 800 <= delay <= 1200
    assert next_delay_ms(policy, attempt, TRANSIENT, seed) == delay


def test_jitter_differs_between_occurrences_and_attempts() -> None:
    policy = {"maxAttempts": 99, "backoffMs": 100_000, "backoffMultiplier": 1}
    seeds = [retry_seed("run", f"root.steps[0]#{n}") for n in range(20)]

    assert len({next_delay_ms(policy, 1, TRANSIENT, seed) for seed in seeds}) == 20
    assert len({next_delay_ms(policy, n, TRANSIENT, "s") for n in range(1, 21)}) == 20


@pytest.mark.parametrize("backoff", [0, 1, 10**9])
def test_a_late_attempt_does_not_overflow(backoff: int) -> None:
    policy = {
        "maxAttempts": 10**6,
        "backoffMs": backoff,
        "backoffMultiplier": 1000,
        "jitter": False,
    }

    delay = next_delay_ms(policy, 99_999, TRANSIENT, "s")

    assert delay == (TEN_YEARS_MS if backoff else 0)
