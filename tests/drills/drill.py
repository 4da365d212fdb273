"""One drill: launch, break, wait, compare. What is done is decided by its plan."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from engine.actions.registry import default_registry
from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from engine.services.context import Actor
from engine.services.manage_operators import ensure_admin
from engine.services.pause_definition import pause_definition
from engine.services.publish_definition import publish
from engine.store.session import in_transaction
from tests import builders
from tests.drills.actions import ACTIONS
from tests.drills.bulk import BulkOperator
from tests.drills.checker import Checker
from tests.drills.documents import AT_A_TIME, RECURRING, SHAPES, at_times
from tests.drills.faults import BY_NAME
from tests.drills.house import EMAIL, PASSWORD, House
from tests.drills.kept import keep
from tests.drills.operators import Operators
from tests.drills.plan import Plan
from tests.drills.report import Report, Struck
from tests.drills.turns import Turns
from tests.drills.watcher import Watcher

AT_ONCE: Final = 6
BETWEEN_S: Final = 0.5
WORKERS: Final = 3
SETTLE_WITHIN_S: Final = 300.0
MOST_UNDER_WAY: Final = 120
"""Operators look at the list of runs, too: a slow machine takes longer, and drowns in none."""
CLOCK_EVERY: Final = timedelta(seconds=12)
"""Between two runs that begin by themselves."""
FIRST_CLOCK: Final = timedelta(seconds=15)
RUNS_A_CLOCK: Final = 25
_ACTOR: Final = Actor(source="command")


def drill(directory: Path, plan: Plan) -> Report:
    return Drill(directory, plan).run()


class Drill:
    def __init__(self, directory: Path, plan: Plan) -> None:
        self._plan = plan
        self._began = time.monotonic()
        self._report = Report(plan.seed, len(plan.launches), plan.digest)
        self._house = House(directory)
        self._checker = Checker(
            self._house.store, self._house.temporal.address, self._house.effects_file
        )
        self._thread = LoopThread()
        registry = default_registry(plugins=())
        for action in ACTIONS:
            registry.register(action)
        options = TemporalOptions(self._house.temporal.address)
        self._services = builders.services(
            self._house.store,
            catalogue=registry,
            now=lambda: datetime.now(UTC),
            gateway=TemporalRunGateway(LazyConnection(options, self._thread), in_transaction),
        )
        self._operators = Operators(self._house.url, self._services)
        self._bulk = BulkOperator(self._services, EMAIL)
        self._watcher = Watcher(self._house)

    def run(self) -> Report:
        house, report = self._house, self._report
        try:
            self._prepare()
            self._launch_and_break()
            self._settle()
            self._compare()
        except BaseException:
            print(report.text(), house.said(), sep="\n", flush=True)
            raise
        finally:
            self._watcher.finish()
            self._checker.close()
            self._thread.stop()
            house.close()
        return report

    def _prepare(self) -> None:
        """The operator, the documents, the processes."""
        ensure_admin(self._services, EMAIL, PASSWORD, _ACTOR)
        clocks = max(1, len(self._plan.launches) // RUNS_A_CLOCK)
        first = datetime.now(UTC) + FIRST_CLOCK
        times = [first + number * CLOCK_EVERY for number in range(clocks)]
        for shape in (*SHAPES, *at_times(times)):
            publish(self._services, shape.document, _ACTOR)
        self._house.start_web()
        for _ in range(WORKERS):
            self._house.start_worker()
        self._house.wait_for_web()
        self._operators.sign_in()

    def _launch_and_break(self) -> None:
        """Launches and faults take turns, as the plan says."""
        turns = Turns(self._plan)
        self._watcher.start()
        self._bulk.start()

        def keep_launching() -> None:
            while (launch := turns.next()) is not None:
                while self._watcher.under_way > MOST_UNDER_WAY:
                    time.sleep(BETWEEN_S)
                self._operators.launch(launch)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            pending = [pool.submit(keep_launching) for _ in range(AT_ONCE)]
            for number, name in enumerate(self._plan.strikes):
                while not turns.ready_for(number) and not any(
                    future.done() and future.exception() for future in pending
                ):
                    self._keep(0.1)
                self._strike(name)
                turns.struck()
            while not all(future.done() for future in pending):
                self._keep(BETWEEN_S)
            for future in pending:
                future.result()

    def _strike(self, name: str) -> None:
        began = time.monotonic()
        BY_NAME[name].strike(self._house)
        took = time.monotonic() - began
        self._report.struck.append(Struck(name, self._since(began), round(took, 1)))
        print(f"{self._since(began):7.1f} s  {name} ({took:.1f} s)", flush=True)
        self._keep(BETWEEN_S)

    def _keep(self, seconds: float) -> None:
        """As a supervisor does."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._house.replace_dead()
            time.sleep(0.1)

    def _settle(self) -> None:
        """Until nothing is left to come; what is then, is told.

        A press of the button whose answer nobody waited for any more may still be accepted, as long
        as the web lives, and a run may begin by itself while the others are compared: the web
        leaves before, what recurs is paused, and the workers go on.
        """
        over = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            finishing = pool.submit(self._operators.finish)
            while not finishing.done():
                self._keep(BETWEEN_S)
            finishing.result()
        self._house.close_web()
        pause_definition(self._services, RECURRING, _ACTOR, "the drill is over")
        self._bulk.finish()
        until = time.monotonic() + SETTLE_WITHIN_S
        while self._checker.unsettled() and time.monotonic() < until:
            self._keep(BETWEEN_S)
        self._report.settled_s = round(time.monotonic() - over, 1)

    def _compare(self) -> None:
        report, operators, house = self._report, self._operators, self._house
        self._watcher.finish()
        began = time.monotonic()
        report.violations = self._checker.violations(operators.promised, house.skews)
        keep(house.directory / "faulty", self._checker.faulty)
        report.checked_s = round(time.monotonic() - began, 1)
        ended = {run: self._since(at) for run, at in self._watcher.ended.items()}
        accepted = {run: self._since(at) for run, at in operators.accepted.items()}
        report.note_recoveries(accepted, ended)
        for run_id, key, status in self._watcher.rows():
            took = ended[run_id] - accepted[run_id] if run_id in accepted & ended.keys() else None
            report.count(AT_A_TIME if key.startswith(AT_A_TIME) else key, status, took)
        report.died, report.met = house.died, dict(sorted(house.met.items()))
        report.unanswered, report.refused = operators.unanswered, operators.refused
        report.events_sent, report.answers = operators.sent, len(operators.answers)
        report.cancels = len(operators.canceled)
        report.bulk_canceled, report.bulk_replayed = self._bulk.canceled, self._bulk.replayed
        report.mended = self._watcher.mended()
        report.took_s = self._since(time.monotonic())

    def _since(self, moment: float) -> float:
        return round(moment - self._began, 2)
