"""The Temporal dev server of this product: its command, tuned as measured, and its wait."""

from __future__ import annotations

from pathlib import Path

from engine.settings import Settings

HOST = "127.0.0.1"
"""Whatever HOST is: a dev server knows no sign-in."""

TUNING = {
    # One history shard polls its queues 20 times a second by default: 105 ms an activity however
    # fast the machine. With these, ten activities take 110 ms instead of 1,050.
    "history.transferProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxPollRPS": "10000",
    "history.visibilityProcessorMaxPollRPS": "10000",
    # Timers fire up to a second late by default, and every boundary of a long run is one of 1 ms:
    # a loop of 3,000 pure items took 16.5 s, and takes 3.2 s. A JSON string, as the CLI reads it.
    "history.timerProcessorMaxTimeShift": '"20ms"',
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
}


def database(settings: Settings) -> Path:
    return settings.data_dir / "temporal.sqlite3"


def command(binary: Path, settings: Settings) -> list[str]:
    options = [
        f"--ip={HOST}",
        f"--port={settings.temporal_port}",
        f"--ui-port={settings.temporal_ui_port}",
        f"--db-filename={database(settings)}",
        f"--namespace={settings.temporal_namespace}",
        "--log-level=error",
    ]
    for key, value in TUNING.items():
        options += ["--dynamic-config-value", f"{key}={value}"]
    return [str(binary), "server", "start-dev", *options]
