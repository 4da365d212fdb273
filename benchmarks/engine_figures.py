"""Latency, throughput, history and start-to-first-step, contenders interleaved round by round."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType

from benchmarks.contenders import Contender
from benchmarks.report import Figure, percentile

_FIRST_STEP_EVENTS = {
    EventType.EVENT_TYPE_MARKER_RECORDED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
}


@dataclass
class Samples:
    latency_ms: list[float] = field(default_factory=list)
    steps_per_s: list[float] = field(default_factory=list)
    events_per_step: float = 0
    bytes_per_step: float = 0


async def measure(
    contenders: Sequence[Contender], *, rounds: int, runs: int, batch: int
) -> dict[str, Samples]:
    """`rounds` times: each contender does `runs` single runs, then `batch` runs at once."""
    samples: dict[str, Samples] = defaultdict(Samples)
    for contender in contenders:
        await _warm_up(contender)
    for turn in range(rounds):
        order = list(contenders) if turn % 2 == 0 else list(reversed(contenders))
        for contender in order:
            samples[contender.name].latency_ms += [
                await _one_run_ms(contender, steps=10) for _ in range(runs)
            ]
        for contender in order:
            samples[contender.name].steps_per_s.append(await _full_machine(contender, batch))
    for contender in contenders:
        await _history_cost(contender, samples[contender.name])
    return dict(samples)


async def _warm_up(contender: Contender) -> None:
    for _ in range(3):
        await (await contender.start(10)).result()


async def _one_run_ms(contender: Contender, *, steps: int) -> float:
    began = time.perf_counter()
    await (await contender.start(steps)).result()
    return (time.perf_counter() - began) * 1000


async def _full_machine(contender: Contender, batch: int) -> float:
    """Steps a second over `batch` runs of ten steps started together."""
    began = time.perf_counter()
    handles = await asyncio.gather(*(contender.start(10) for _ in range(batch)))
    await asyncio.gather(*(handle.result() for handle in handles))
    return batch * 10 / (time.perf_counter() - began)


async def _history_cost(contender: Contender, samples: Samples) -> None:
    """What ninety more steps add to the history of a run: start and end are left out."""
    sizes = []
    for steps in (10, 100):
        handle = await contender.start(steps)
        await handle.result()
        history = await handle.fetch_history()
        sizes.append((len(history.events), sum(event.ByteSize() for event in history.events)))
    (few, few_bytes), (many, many_bytes) = sizes
    samples.events_per_step = (many - few) / 90
    samples.bytes_per_step = (many_bytes - few_bytes) / 90


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
                "steps/s, machine full",
                percentile(mine.steps_per_s, 0.5),
                percentile(theirs.steps_per_s, 0.5),
                "steps/s",
                peer,
                at_least=1.3 if "regular" in peer else 0.75,
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
    return lines
