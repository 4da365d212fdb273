"""The product's worker with a fault point around everything that it does.

python -m tests.drills.worker_process
"""

from __future__ import annotations

import os
from typing import Any, Final

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

import worker
from engine.activities import make
from engine.gateway.runs import TemporalRunGateway
from engine.services import fire_schedules, perform_bulk, reconcile_runs
from tests.drills import actions, clocks, fault_points

ACTIVITIES: Final = (
    "claim_run",
    "perform_action",
    "record_progress",
    "open_wait",
    "admit_step",
    "store_checkpoint",
    "fetch_value",
    "launch_child",
    "finish_run",
)
"""The services that activities call, by their names in `engine.activities.make`."""

POINTS: Final[dict[str, tuple[Any, str]]] = {
    **{name: (make, name) for name in ACTIVITIES},
    # After an effect and before its row, where the action is killed when it has been called.
    "effect": (actions, "leave_line"),
    "commit": (PGDialect_psycopg, "do_commit"),
    "reconciler": (worker, "reconcile"),
    "started by reconciler": (reconcile_runs, "start_accepted"),
    "delivery": (worker, "tend_waits"),
    "signal": (TemporalRunGateway, "signal_runs"),
    "bulk item": (perform_bulk, "perform"),
    "schedule": (fire_schedules, "start_scheduled"),
}


def main() -> int:
    clocks.move(os.environ)
    fault_points.arm(POINTS, os.environ)
    return worker.main()


if __name__ == "__main__":
    code = main()
    os._exit(code)
