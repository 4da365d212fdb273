"""Results that are kept beside the benchmark: newest first, with date and commit."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path


def add_results(page: Path, head: str, text: str) -> None:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    before, _, rest = (page.read_text() if page.exists() else head).partition("\n## ")
    rest = f"\n## {rest}" if rest else ""
    page.write_text(f"{before.rstrip()}\n\n## {now} · {commit}\n\n{text}\n{rest}")
