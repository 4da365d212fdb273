"""Latency, throughput, history and start-to-first-step, contenders interleaved round by round."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from temporalio.api.enums.v1 import EventType

from benchmarks.contenders import Contender
from benchmarks.report import Figure, percentile

_FIRST_STEP_EVENTS = {
    EventType.EVENT_TYPE_MARKER_RECORDED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
}


SHORT: Final = 10
LONG: Final = 100
"""Steps a run. In the short ones what a run costs beside its steps counts most: ours is launched by
a service that checks it, claims its row and ends with an activity of its own."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured."""

    rounds: int
    runs: int
    """Single runs a round."""
    short: int
    """Runs of `SHORT` steps started together."""
    long: int
    """The same of `LONG` steps."""


@dataclass
class Samples:
    latency_ms: list[float] = field(default_factory=list)
    steps_per_s: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By the length of the runs."""
    events_per_step: float = 0
    bytes_per_step: float = 0


async def measure(contenders: Sequence[Contender], amount: Amount) -> dict[str, Samples]:
    """`rounds` times: each contender does its single runs, then so many runs at once."""
    samples: dict[str, Samples] = defaultdict(Samples)
    for contender in contenders:
        await _warm_up(contender)
    for turn in range(amount.rounds):
        order = list(contenders) if turn % 2 == 0 else list(reversed(contenders))
        for contender in order:
            samples[contender.name].latency_ms += [
                await _one_run_ms(contender, steps=SHORT) for _ in range(amount.runs)
            ]
        for steps, batch in ((SHORT, amount.short), (LONG, amount.long)):
            for contender in order:
                rate = await _full_machine(contender, batch, steps)
                samples[contender.name].steps_per_s[steps].append(rate)
    for contender in contenders:
        await _history_cost(contender, samples[contender.name])
    return dict(samples)


async def _warm_up(contender: Contender) -> None:
    for _ in range(3):
        await (await contender.start(SHORT)).result()


async def _one_run_ms(contender: Contender, *, steps: int) -> float:
    began = time.perf_counter()
    await (await contender.start(steps)).result()
    return (time.perf_counter() - began) * 1000


async def _full_machine(contender: Contender, batch: int, steps: int) -> float:
    """Steps a second over `batch` runs started together, their starts included."""
    began = time.perf_counter()
    handles = await asyncio.gather(*(contender.start(steps) for _ in range(batch)))
    await asyncio.gather(*(handle.result() for handle in handles))
    return batch * steps / (time.perf_counter() - began)


async def _history_cost(contender: Contender, samples: Samples) -> None:
    """What ninety more steps add to the history of a run: start and end are left out."""
    sizes = []
    for steps in (SHORT, LONG):
        handle = await contender.start(steps)
        await handle.result()
        history = await handle.fetch_history()
        sizes.append((len(history.events), sum(event.ByteSize() for event in history.events)))
    (few, few_bytes), (many, many_bytes) = sizes
    samples.events_per_step = (many - few) / (LONG - SHORT)
    samples.bytes_per_step = (many_bytes - few_bytes) / (LONG - SHORT)


async def first_steps(contenders: Sequence[Contender], count: int) -> dict[str, list[float]]:
    """`count` times for each, in turn."""
    samples: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(count):
        for contender in contenders:
            samples[contender.name].append(await _first_step_ms(contender))
    return samples


async def _first_step_ms(contender: Contender) -> float:
    """From the server taking the start to the first step's begin (or end, if it is local)."""
    handle = await contender.start(1)
    await handle.result()
    events = (await handle.fetch_history()).events
    first = next(event for event in events if event.event_type in _FIRST_STEP_EVENTS)
    began = events[0].event_time.ToNanoseconds()
    return (first.event_time.ToNanoseconds() - began) / 1e6


def figures(
    samples: dict[str, Samples], first_steps: dict[str, list[float]], ours: str
) -> list[Figure]:
    """Ours against each peer."""
    mine = samples[ours]
    lines: list[Figure] = []
    for peer, theirs in samples.items():
        if peer == ours:
            continue
        lines += [
            Figure(
                "10 steps, p50",
                percentile(mine.latency_ms, 0.5),
                percentile(theirs.latency_ms, 0.5),
                "ms",
                peer,
            ),
            Figure(
                "10 steps, p95",
                percentile(mine.latency_ms, 0.95),
                percentile(theirs.latency_ms, 0.95),
                "ms",
                peer,
            ),
            Figure(
                f"steps/s, machine full, runs of {LONG}",
                _rate(mine, LONG),
                _rate(theirs, LONG),
                "steps/s",
                peer,
                at_least=1.3 if "regular" in peer else 0.75,
            ),
            Figure(
                f"steps/s, machine full, runs of {SHORT}",
                _rate(mine, SHORT),
                _rate(theirs, SHORT),
                "steps/s",
                peer,
            ),
            Figure("history events a step", mine.events_per_step, theirs.events_per_step, "", peer),
            Figure(
                "history bytes a step", mine.bytes_per_step, theirs.bytes_per_step, "bytes", peer
            ),
            Figure(
                "start to first step, p50",
                percentile(first_steps[ours], 0.5),
                percentile(first_steps[peer], 0.5),
                "ms",
                peer,
            ),
        ]
    lines.append(
        Figure(
            f"machine full, a step in a run of {LONG}",
            1000 / _rate(mine, LONG),
            1000 / _rate(mine, SHORT),
            "ms",
            f"ours in a run of {SHORT}",
            at_most=1.3,
        )
    )
    return lines


def _rate(samples: Samples, steps: int) -> float:
    return percentile(samples.steps_per_s[steps], 0.5)
