"""Record the histories that `test_replay` replays: `python -m tests.unit.durable.record_histories`.

Needs a Temporal dev server. To be run with each release, into a directory of its own: the older
ones stay, so that a change which breaks running runs fails in the fast suite (docs/rules.md 4).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.services.release_quota import release_quota
from engine.services.step_quota import set_quota
from engine.store import schema
from engine.store.session import Store, make_engine
from tests import work_actions
from tests.dev_server import DevServer
from tests.run_cases import SOMEBODY
from tests.steps import act, assign, chain, loop, try_catch, wait
from tests.studio import Studio
from tests.waiting import answer, event_wait, human_task, open_wait_of, send

KNOWN_FOR_S = 1
"""Longer than a worker believes that there is no quota."""

HISTORIES = Path(__file__).parent / "histories"


def documents() -> dict[str, list[dict[str, Any]]]:
    """One that shows each way in which a run uses Temporal."""
    failing = {**act("fails", "once", fails=2), "retry": {"maxAttempts": 3, "backoffMs": 20}}
    branch = {
        "id": "branch",
        "type": "control.if",
        "condition": {"$expr": "1 = 1"},
        "then": [act("regular", "once")],
    }
    return {
        "quick-chain": chain(12),
        "regular-chain": chain(3, "once"),
        "every-kind": [
            assign("begin", items="[1, 2, 3]"),
            {"id": "label", "type": "state.set", "config": {"state": "looping"}},
            loop("each", "vars.items", act("item", "quick"), assign("note", last="item")),
            branch,
            try_catch(
                "careful", [act("breaks", "once", fails=9)], [assign("took", e="error.code")]
            ),
            wait("pause", 50),
            failing,
            {"id": "end", "type": "control.return"},
        ],
        "failed": [act("breaks", "once", fails=9, category="ActionError")],
        "boundaries": chain(6, "quick", ms=700),
        "large-values": [act("large", "quick", bytes=200_000), *chain(3, "quick", bytes=60_000)],
        "pure-loop": [loop("each", "[1..600]", assign("note", last="item * 2"))],
    }


def main() -> None:
    directory = Path(tempfile.mkdtemp())
    os.environ[work_actions.EFFECTS] = str(directory / "effects")
    release = HISTORIES / sys.argv[1]
    release.mkdir(parents=True, exist_ok=True)
    server = DevServer(directory)
    server.start()
    engine = make_engine(f"sqlite:///{directory}/runs.sqlite3", pool_size=40)
    schema.upgrade(engine)
    studio = Studio(server.address, Store(engine), directory / "effects")
    with studio.worker():
        for name, steps in documents().items():
            run = studio.execute(*steps)
            save(studio, run.run_id, release / f"{name}.json")
            print(name, run.status)
        for name, record in {
            "event-wait": events,
            "human-task": task,
            "quota-pause": quota,
        }.items():
            run_id = record(studio)
            save(studio, run_id, release / f"{name}.json")
            print(name, studio.run(run_id).status)
        run_id = studio.start(studio.publish(wait("pause")))
        studio.eventually(lambda: studio.run(run_id).status == "WAITING")
        studio.cancel(run_id)
        studio.ended(run_id)
        save(studio, run_id, release / "canceled.json")
    server.kill()


def events(studio: Studio) -> str:
    """A wait for an event that comes, for one that had come before, and for one that never does."""
    run_id = studio.start(
        studio.publish(
            event_wait("comes", "e", "'k'", timeoutMs=60_000),
            event_wait("came", "early"),
            try_catch("never", [event_wait("late", "never", timeoutMs=50)], [act("caught")]),
        )
    )
    open_wait_of(studio, run_id)
    send(studio, "early")
    send(studio, "e", "k", {"n": 1})
    return studio.ended(run_id).run_id


def task(studio: Studio) -> str:
    run_id = studio.start(studio.publish(human_task("ask"), act("after", "quick")))
    answer(studio, open_wait_of(studio, run_id), {"ok": True})
    return studio.ended(run_id).run_id


def quota(studio: Studio) -> str:
    """Counted from its claim on: a wait is admitted, an action pauses, and is released."""
    set_quota(studio.services, 2, SOMEBODY)
    time.sleep(KNOWN_FOR_S)
    run_id = studio.start(studio.publish(wait("pause", 20), *chain(2, "once")))
    studio.eventually(lambda: "quota" in [row.wait_type for row in studio.waits(run_id)])
    open_wait = open_wait_of(studio, run_id)
    set_quota(studio.services, None, SOMEBODY)
    release_quota(studio.services, open_wait, SOMEBODY)
    return studio.ended(run_id).run_id


def save(studio: Studio, run_id: str, path: Path, execution: str | None = None) -> None:
    history = without_origin(studio.history(run_id, execution).to_json_dict())
    path.write_text(json.dumps(history, separators=(",", ":")))


def without_origin(value: Any) -> Any:
    """The history without the names and paths of the machine that made it."""
    if isinstance(value, dict):
        return {
            key: "recorder" if key == "identity" else without_origin(item)
            for key, item in value.items()
            if key != "stackTrace"
        }
    return [without_origin(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
