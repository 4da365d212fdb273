"""The product's worker with a fault point around every activity.

python -m tests.drills.worker_process
"""

from __future__ import annotations

import os
from typing import Final

import worker
from engine.activities import make
from tests.drills import fault_points

ACTIVITIES: Final = (
    "claim_run",
    "perform_action",
    "record_progress",
    "open_wait",
    "finish_run",
)
"""The services that activities call, by their names in `engine.activities.make`."""


def main() -> int:
    for name in ACTIVITIES:
        setattr(make, name, fault_points.armed(name, getattr(make, name), os.environ))
    return worker.main()


if __name__ == "__main__":
    code = main()
    os._exit(code)
