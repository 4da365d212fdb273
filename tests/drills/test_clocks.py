"""A wrong clock of a drill is wrong everywhere in its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drills.clocks import CLOCK
from tests.drills.fault_points import TEST_BUILD

ROOT = Path(__file__).resolve().parents[2]
SAYS = """
import os, time, worker
from tests.drills import clocks
from engine.activities import make
from engine.services.context import Services
clocks.move(os.environ)
services = Services(store=None, gateway=None, catalogue=None, limits=None)
for moment in (services.now(), make.datetime.now(make.UTC), worker.datetime.now(worker.UTC)):
    print(round((moment.timestamp() - time.time()) / 60))
"""


@pytest.mark.parametrize("minutes", [-10, 10])
def test_every_clock_of_the_process_is_wrong(minutes: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAYS],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), TEST_BUILD: "1", CLOCK: str(minutes)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == [str(minutes)] * 3, done.stderr
