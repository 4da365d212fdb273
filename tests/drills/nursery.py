"""Processes of the product, each a process of its own, forked from one that has imported it.

A drill starts many of them: importing the product each time would be most of its work. What is
forked has no thread and no connection yet (a client of Temporal does not survive a fork).
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

MODULES: Final = ["tests.drills.web_process", "tests.drills.worker_process"]

_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(MODULES)


def start(module: str, environment: Mapping[str, str], log: Path) -> ForkServerProcess:
    """`module`'s main, with these variables, writing to `log`."""
    process = _CONTEXT.Process(target=_run, args=(module, dict(environment), str(log)), daemon=True)
    process.start()
    return process


def _run(module: str, environment: dict[str, str], log: str) -> None:
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    with open(log, "ab") as file:  # noqa: PTH123  (a descriptor is wanted)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os._exit(importlib.import_module(module).main() or 0)
