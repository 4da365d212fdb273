"""One drill: launch, break, wait, compare. What is broken when is decided by the seed."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from engine.actions.registry import default_registry
from engine.services.context import Actor
from engine.services.manage_operators import ensure_admin
from engine.services.publish_definition import publish
from tests import builders
from tests.drills.actions import ACTIONS
from tests.drills.checker import Checker
from tests.drills.documents import SHAPES
from tests.drills.faults import Fault
from tests.drills.house import EMAIL, PASSWORD, House
from tests.drills.launches import Launches

AT_ONCE: Final = 6
BETWEEN_S: Final = 0.5
PAUSE_S: Final = 0.5
"""Between the launches of one operator."""
SETTLE_WITHIN_S: Final = 120.0


@dataclass
class Report:
    seed: int
    runs: int
    took_s: float = 0.0
    settled_s: float = 0.0
    """From the end of the last fault until every run had ended."""
    struck: list[str] = field(default_factory=list)
    died: int = 0
    """Processes that ended by themselves: most met their fault point."""
    unanswered: int = 0
    refused: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2)


def drill(
    directory: Path,
    seed: int,
    runs: int,
    choose: Callable[[random.Random], list[Fault]],
    *,
    again: bool = False,
) -> Report:
    """Faults strike one after the other; with `again`, until all runs are launched."""
    report, began = Report(seed, runs), time.monotonic()
    house = House(directory)
    checker = Checker(house.store, house.temporal.address, house.effects_file)
    try:
        _prepare(house)
        house.start_web()
        house.start_worker()
        house.start_worker()
        house.wait_for_web()
        accepted = _launch_and_break(house, report, choose, again=again)
        house.replace_dead()
        _settle(checker, house, report)
        report.violations = checker.violations(accepted)
        report.ended = dict(Counter(run.status for run in checker.looked()))
    except BaseException:
        print(report.text(), house.said(), sep="\n", flush=True)
        raise
    finally:
        checker.close()
        house.close()
    report.died = house.died
    report.took_s = round(time.monotonic() - began, 1)
    return report


def _prepare(house: House) -> None:
    """The operator, and the documents."""
    registry = default_registry(plugins=())
    for action in ACTIONS:
        registry.register(action)
    services = builders.services(house.store, catalogue=registry)
    actor = Actor(source="command")
    ensure_admin(services, EMAIL, PASSWORD, actor)
    for shape in SHAPES:
        publish(services, shape.document, actor)


def _launch_and_break(
    house: House,
    report: Report,
    choose: Callable[[random.Random], list[Fault]],
    *,
    again: bool,
) -> set[str]:
    """Launches go on until there have been enough, and every fault has met some."""
    launches, random_ = Launches(house.url), random.Random(report.seed)
    launches.sign_in()
    left, struck, numbers = choose(random_), threading.Event(), itertools.count()

    def keep_launching() -> None:
        while (number := next(numbers)) < report.runs or not struck.is_set():
            launches.launch(number)
            time.sleep(PAUSE_S)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        pending = [pool.submit(keep_launching) for _ in range(AT_ONCE)]
        while not all(future.done() for future in pending):
            if again and not left:
                left = choose(random_)
            if left:
                _strike(house, report, left.pop(0))
            else:
                _keep(house)
            if again or not left:
                struck.set()
        for future in pending:
            future.result()
    report.unanswered, report.refused = launches.unanswered, launches.refused
    return set(launches.accepted)


def _strike(house: House, report: Report, fault: Fault) -> None:
    report.struck.append(fault.name)
    fault.strike(house)
    _keep(house)


def _keep(house: House) -> None:
    """As a supervisor does."""
    until = time.monotonic() + BETWEEN_S
    while time.monotonic() < until:
        house.replace_dead()
        time.sleep(0.1)


def _settle(checker: Checker, house: House, report: Report) -> None:
    """Until every row is terminal and Temporal executes nothing; what is not then, is told."""
    began = time.monotonic()
    while checker.open_rows() or checker.open_executions():
        if time.monotonic() - began > SETTLE_WITHIN_S:
            break
        house.replace_dead()
        time.sleep(0.5)
    report.settled_s = round(time.monotonic() - began, 1)
