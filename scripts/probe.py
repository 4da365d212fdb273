"""Is this container healthy? For docker-compose.ee.yaml; the exit code is the answer.

python -m scripts.probe URL           it answers 200
python -m scripts.probe worker        a worker of this data folder (DATA_DIR) is ready for work
python -m scripts.probe worker-live   one lives, whether it is ready or not

Where the answer is no, it says why.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from engine.services.worker_file import workers_of

TIMEOUT_S = 4
DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "var"
WORKER, WORKER_LIVE = "worker", "worker-live"


def web_answers(url: str) -> str | None:
    """Why not; None: it does."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return None if answer.status == 200 else f"it answers {answer.status}"
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}: {error.read(500).decode(errors='replace').strip()}"
    except OSError as error:
        return str(error)


def worker_is(wanted: str, folder: Path) -> str | None:
    """Why not; None: it is."""
    living = workers_of(folder)
    if not living:
        return f"no worker of {folder} lives"
    if wanted == WORKER_LIVE or any(worker.ready for worker in living):
        return None
    return "; ".join(f"worker {worker.pid} is not ready: {worker.because}" for worker in living)


def main(what: str) -> int:
    if what in (WORKER, WORKER_LIVE):
        why_not = worker_is(what, Path(os.environ.get("DATA_DIR") or DEFAULT_FOLDER))
    else:
        why_not = web_answers(what)
    if why_not is not None:
        print(why_not)
    return 0 if why_not is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
