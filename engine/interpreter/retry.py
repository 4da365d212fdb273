"""When a failed attempt is repeated (docs/authoring.md, Retry and errors). Pure and deterministic.

The interpreter sleeps by it and the activity writes its row by it, so that both know the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from engine.contract import Json
from engine.definitions.fields import TEN_YEARS_MS
from engine.errors import Category

DEFAULT_RETRY_ON: Final = (Category.TRANSIENT.value, Category.TIMEOUT.value)

NEVER_RETRIED: Final = frozenset({Category.CANCELLATION.value, Category.INTERPRETER.value})


def retry_seed(run_id: str, occurrence: str) -> str:
    """What the jitter of one occurrence hangs on; the attempt is added by `next_delay_ms`."""
    return f"{run_id}:{occurrence}"


def next_delay_ms(
    policy: Mapping[str, Json] | None, attempt: int, error: Mapping[str, Json], seed: str
) -> int | None:
    """How long to wait before attempt + 1; None: this failure is final.

    `error` is error data ({category, details?, …}). A `details.retryAfterMs` makes the delay at
    least that long; `maxDelayMs` caps all of it.
    """
    if policy is None or attempt >= policy["maxAttempts"] or not _is_retryable(policy, error):
        return None
    delay = _backoff_ms(policy, attempt)
    if policy.get("jitter", True):
        delay *= _jitter(seed, attempt)
    delay = max(delay, _retry_after_ms(error))
    cap = policy.get("maxDelayMs")
    return int(min(delay, TEN_YEARS_MS if cap is None else cap))


def _is_retryable(policy: Mapping[str, Json], error: Mapping[str, Json]) -> bool:
    """A child's failure is matched by its own category and by that of its cause."""
    wanted = policy.get("retryOn")
    if wanted is None:
        wanted = DEFAULT_RETRY_ON
    categories = {error.get("category")}
    if error.get("category") == Category.CHILD:
        cause = (error.get("details") or {}).get("cause")
        if isinstance(cause, dict):
            categories.add(cause.get("category"))
    if error.get("category") in NEVER_RETRIED:
        return False
    return any(name in categories for name in wanted)


def _backoff_ms(policy: Mapping[str, Json], attempt: int) -> float:
    first = float(policy["backoffMs"])
    try:
        return min(first * float(policy.get("backoffMultiplier", 2)) ** (attempt - 1), 1e15)
    except OverflowError:
        return 0.0 if first == 0 else float(TEN_YEARS_MS)


def _jitter(seed: str, attempt: int) -> float:
    """0.8 to 1.2, the same for the same occurrence and attempt on every replay."""
    digest = hashlib.sha256(f"{seed}:{attempt}".encode()).digest()
    return 0.8 + 0.4 * int.from_bytes(digest[:8], "big") / 2**64


def _retry_after_ms(error: Mapping[str, Json]) -> float:
    details = error.get("details")
    after = details.get("retryAfterMs") if isinstance(details, dict) else None
    if isinstance(after, bool) or not isinstance(after, int | float):
        return 0.0
    return float(min(max(after, 0), TEN_YEARS_MS))
