"""Make the passwords of an installation that do not exist yet: `make_secrets.py FOLDER`.

For docker-compose.ee.yaml: no password is in the repository, and each installation has its own. A
file that exists is left alone, so that it may be put there beforehand, and is kept at each start.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

NAMES = ("postgres_password", "secret_key")


def make(folder: Path) -> list[str]:
    """The names of what was made. Readable by all users of the containers that mount the folder."""
    made = []
    for name in NAMES:
        path = folder / name
        if path.exists() and path.stat().st_size:
            continue
        # Whole or not at all: a half-written password would be kept for ever.
        unfinished = folder / f".{name}.new"
        unfinished.write_text(secrets.token_hex(32))
        unfinished.chmod(0o444)
        unfinished.replace(path)
        made.append(name)
    os.sync()
    return made


if __name__ == "__main__":
    print(f"made: {', '.join(make(Path(sys.argv[1]))) or 'nothing, all are there'}")
