"""Histories of called workflows, concurrent loops, nested frames and continue-as-new.

`python -m tests.unit.durable.record_frames RELEASE`, beside `record_histories`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.store import schema
from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowRun
from tests import work_actions
from tests.dev_server import DevServer
from tests.steps import Step, act, assign, call, chain, expr, loop, try_catch, wait
from tests.studio import Studio
from tests.unit.durable.record_histories import HISTORIES, save

CONTINUE_AT = 25
RETRY = {"maxAttempts": 2, "backoffMs": 20, "retryOn": ["ActionError"]}


def documents(child: str, broken: str) -> dict[str, list[Step]]:
    breaks = act("breaks", "quick", fails=9, category="ActionError")
    mapped = call("sub", child, {"n": expr("2")}, {"vars.total": expr("childRun.vars.total")})
    again = call("again", broken, retry=RETRY, onError={"policy": "continue"})
    which = {"id": "which", "type": "control.if", "condition": expr("item = 2"),
             "then": [wait("soon", 150), breaks], "else": [wait("long")]}  # fmt: skip
    slow = {**act("slow", "quick", fails=1), "retry": {"maxAttempts": 2, "backoffMs": 500}}
    stays = {"id": "stays", "type": "control.if", "condition": expr("item = 1"), "then": [slow],
             "else": [wait("soon", 50), assign("note", mine="item")]}  # fmt: skip
    inside = try_catch("inner", [call("sub", child), breaks], [act("mend", "once")])
    return {
        "call-workflow": [mapped, act("send", "quick", value=expr("vars.total"))],
        "call-that-fails": [again, act("after", "once")],
        "call-refused": [call("nobody", child, {"n": expr("'no'")})],
        "quick-failure": [try_catch("try", [breaks], [act("mend", "quick")])],
        "concurrent-loop": [
            {**loop("each", "[1..6]", act("one", "quick"), wait("p", 20), act("two", "once")),
             "concurrency": 3},
        ],
        "concurrent-failure": [
            try_catch("try", [{**loop("each", "[1, 2, 3]", which), "concurrency": 3}], []),
            act("after", "quick"),
        ],
        "concurrent-rows": [{**loop("each", "[1, 2]", stays), "concurrency": 2}],
        "concurrent-calls": [{**loop("each", "[1, 2]", call("sub", child)), "concurrency": 2}],
        "try-in-loops": [loop("outer", "[1, 2]", loop("inner-loop", "[1, 2]", inside))],
    }  # fmt: skip


@contextmanager
def studio_on(directory: Path, *settings: str) -> Iterator[Studio]:
    directory.mkdir()
    server = DevServer(directory, *settings)
    server.start()
    engine = make_engine(f"sqlite:///{directory}/runs.sqlite3", pool_size=40)
    schema.upgrade(engine)
    studio = Studio(server.address, Store(engine), directory / "effects")
    with studio.worker():
        yield studio
    server.kill()


def main() -> None:
    directory = Path(tempfile.mkdtemp())
    os.environ[work_actions.EFFECTS] = str(directory / "effects")
    release = HISTORIES / sys.argv[1]
    release.mkdir(parents=True, exist_ok=True)
    with studio_on(directory / "plain") as studio:
        child, broken = publish_children(studio)
        for name, steps in documents(child, broken).items():
            run = studio.execute(*steps)
            save(studio, run.run_id, release / f"{name}.json")
            print(name, run.status)
        cancel_a_call(studio, release)
    with studio_on(
        directory / "low", f"limit.historyCount.suggestContinueAsNew={CONTINUE_AT}"
    ) as studio:
        continue_as_new(studio, release)


def publish_children(studio: Studio) -> tuple[str, str]:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    child = studio.publish(assign("sum", total="coalesce(payload.n, 1)"), payloadSchema=schema)
    broken = studio.publish(act("breaks", "quick", fails=9, category="ActionError"))
    return str(child.key), str(broken.key)


def cancel_a_call(studio: Studio, release: Path) -> None:
    """The caller is cancelled while its child waits; the child's own history too."""
    child = str(studio.publish(wait("long")).key)
    run_id = studio.start(studio.publish(call("sub", child)))
    studio.eventually(lambda: [one.status for one in children(studio, run_id)] == ["WAITING"])
    studio.cancel(run_id)
    studio.ended(run_id)
    save(studio, run_id, release / "call-canceled.json")
    save(studio, children(studio, run_id)[0].run_id, release / "child-canceled.json")


def continue_as_new(studio: Studio, release: Path) -> None:
    child, _ = publish_children(studio)
    body = try_catch("try", [act("do", "once"), call("sub", child)], [])
    run_id = studio.start(studio.publish(loop("each", "[1..4]", body), *chain(2, "once")))
    studio.ended(run_id, 60)
    save(studio, run_id, release / "continued.json")
    save(studio, run_id, release / "continues.json", first_of(studio, run_id))


def first_of(studio: Studio, run_id: str) -> str:
    found = studio.run(run_id).claimed_by
    assert found is not None
    return found


def children(studio: Studio, run_id: str) -> list[Any]:
    with studio.store.reading() as session:
        return list(session.scalars(select(WorkflowRun).filter_by(parent_run_id=run_id)))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
