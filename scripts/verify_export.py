"""Is an exported run as it was exported? Without the product's settings, database or Temporal.

    python -m scripts.verify_export FILE [--key PUBLIC_KEY]

Code 0: it is. 1: a part was changed, which is named. 2: wrong usage, or there is no such file.
`--key`: what `flask runs signing-key` prints at the installation that it is said to come from.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.runs.verify_export import said, verify


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify_export", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", metavar="PUBLIC_KEY")
    given = parser.parse_args(arguments)
    try:
        text = given.file.read_bytes()
    except OSError as error:
        parser.error(f"{given.file}: {error.strerror}")
    verified = verify(text, given.key)
    print("\n".join(said(verified)))
    return 0 if verified.holds else 1


if __name__ == "__main__":
    sys.exit(main())
