"""Build the production Temporal server and its schema tool into the user's cache, with Go.

    python -m scripts.build_temporal_server

Needed by one test alone, which starts what docker-compose.ee.yaml starts, without Docker. About
three minutes on a machine that does nothing else, once a user (docs/measured.md 1).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from scripts.find_temporal import cache_dir, say

VERSION: Final = "v1.31.2"
"""The one of docker-compose.ee.yaml."""
PROGRAMS: Final = {
    "temporal-server": f"go.temporal.io/server/cmd/server@{VERSION}",
    "temporal-sql-tool": f"go.temporal.io/server/cmd/tools/sql@{VERSION}",
}


def main() -> int:
    if all((cache_dir() / name).exists() for name in PROGRAMS):
        return 0
    if shutil.which("go") is None:
        say("Go is not installed: the Temporal server cannot be built")
        return 1
    cache_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix=".making-server-") as folder:
        say(f"building Temporal server {VERSION}: some minutes, once a user")
        environment = {
            **os.environ,
            "GOBIN": folder,
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
        }
        done = subprocess.run(
            ["go", "install", *PROGRAMS.values()], cwd=folder, env=environment, check=False
        )
        if done.returncode:
            return done.returncode
        for name, module in PROGRAMS.items():
            built = module.partition("@")[0].rsplit("/", 1)[-1]
            (Path(folder) / built).replace(cache_dir() / name)
    say(f"kept in {cache_dir()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
