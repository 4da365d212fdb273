"""The whole product for a test: what `make run` starts, with a data folder and ports of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.dev_server import binary, free_port

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120.0
NOT_OURS = {"DATABASE_URL", "TEMPORAL_ADDRESS", "ADMIN_EMAIL", "ADMIN_PASSWORD", "LOG_LEVEL"}
"""Settings of whoever runs the tests."""


class Product:
    """`python -m scripts.run_product` with a data folder and ports of its own."""

    def __init__(self, data_dir: Path, **given: str) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir = data_dir
        self.ports = {
            name: str(free_port()) for name in ["PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT"]
        }
        (data_dir / "bin").mkdir(exist_ok=True)
        temporal = data_dir / "bin" / "temporal"
        if not temporal.exists():
            temporal.symlink_to(binary())
        kept = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
        self.environment = {
            **kept,
            **self.ports,
            "DATA_DIR": str(data_dir),
            "PATH": f"{data_dir / 'bin'}:{os.environ['PATH']}",
            **given,
        }
        self.log = data_dir / "output.txt"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def output(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.run_product"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, text: str) -> None:
        assert self.process is not None
        until = time.monotonic() + PATIENCE_S
        while text not in self.output:
            assert self.process.poll() is None, f"it ended:\n{self.output}"
            assert time.monotonic() < until, f"{text!r} did not come:\n{self.output}"
            time.sleep(0.05)

    def children(self) -> dict[str, int]:
        recorded = json.loads((self.data_dir / "running.json").read_text())
        names = {"app:create_app()": "web", "worker.py": "worker"}
        return {names.get(words[-1], "temporal"): int(pid) for pid, words in recorded.items()}

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in another shell: it knows the data folder, and finds the rest there."""
        shell = {k: v for k, v in self.environment.items() if k not in self.ports}
        return subprocess.run(
            [sys.executable, "-m", "flask", *arguments],
            cwd=ROOT,
            env=shell,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def end(self, number: int = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
