"""A run's family as a tree: callers, calls and replays, both ways and at any depth."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest

from engine.services import run_lineage
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser
from tests.integration.web.marks import on_both
from tests.long_runs import insert_all


def _called(of: WorkflowDefinition, by: WorkflowRun, status: str, at: str = "") -> WorkflowRun:
    return builders.run(
        of, status, parent_run_id=by.run_id, root_run_id=by.root_run_id or by.run_id,
        trigger_metadata_json={"parentRunId": by.run_id, "parentStepPath": at},
    )  # fmt: skip


def _shape(html: str) -> str:
    """Ids and nesting of the tree alone: a ( b ( c ) d )."""
    tree = html.partition('<ul class="lineage">')[2].partition("</section>")[0]
    tokens = re.findall(r'<ul>|</ul>|href="/runs/[0-9a-f-]{36}"|This run', tree)
    names = {"<ul>": "(", "</ul>": ")", "This run": "this"}
    return " ".join(names.get(token, token[12:20]) for token in tokens[:-1])


@on_both
def test_it_shows_what_led_to_a_run_and_what_came_of_it_at_any_depth(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    first = builders.run(of, "FAILED")
    again = builders.run(of, "SUCCEEDED", replay_of_run_id=first.run_id)
    child = _called(of, again, "FAILED", at="root.steps[4]")
    grandchild = _called(of, child, "CANCELED")
    later = builders.run(
        of, "RUNNING", replay_of_run_id=child.run_id, started_at=builders.NOW + timedelta(hours=1)
    )
    other = builders.run(of, replay_of_run_id=first.run_id)
    builders.save(store, first, again, child, grandchild, later, other)

    def shape(run: WorkflowRun) -> str:
        return _shape(operator.page(f"/runs/{run.run_id}").html)

    a, b, c, d, e = (run.run_id[:8] for run in (first, again, child, grandchild, later))
    assert shape(child) == f"{a} ( {b} ( this ( {d} {e} ) ) )"
    assert shape(grandchild) == f"{a} ( {b} ( {c} ( this ) ) )"
    assert shape(again) == f"{a} ( this ( {c} ( {d} {e} ) ) )"
    assert shape(first).count("(") == 3
    text = operator.page(f"/runs/{grandchild.run_id}").text
    for said in ("called at root.steps[4]", "replay", "SUCCEEDED", "FAILED"):
        assert said in text


def test_a_run_without_relatives_has_no_tree(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    alone = builders.run(of, replay_of_run_id=builders.new_id())
    builders.save(store, alone)
    assert operator.page(f"/runs/{alone.run_id}").by_id("lineage") is None


@on_both
def test_a_change_deep_in_the_family_comes_with_the_next_poll(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    root = builders.run(of)
    child = _called(of, root, "RUNNING")
    grandchild = _called(of, child, "RUNNING")
    builders.save(store, root, child, grandchild)
    tags = {run.run_id: operator.get(f"/runs/{run.run_id}").headers["HX-PTag"]
            for run in (root, child)}  # fmt: skip
    with store.writing() as session:
        row = session.get_one(WorkflowRun, grandchild.run_id)
        row.status, row.updated_at = "WAITING", builders.NOW + timedelta(seconds=1)
    for run_id, tag in tags.items():
        poll = operator.get(f"/runs/{run_id}", htmx=True, **{"HX-PTag": tag})
        assert poll.status_code == 200
        assert "WAITING" in poll.text


@on_both
def test_a_large_family_is_cut_and_says_so(
    operator: Browser, store: Store, of: WorkflowDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = builders.run(of)
    builders.save(store, root)
    insert_all(store, [_called(of, root, "SUCCEEDED") for _ in range(3_000)])
    began = time.process_time()
    page = operator.page(f"/runs/{root.run_id}")
    assert time.process_time() - began < 0.5
    assert _shape(page.html).count(" ") == run_lineage.MOST_RUNS + 2
    assert "More came of it" in page.text
    monkeypatch.setattr(run_lineage, "DEEPEST", 3)
    chain = [builders.run(of, "FAILED")]
    for _ in range(6):
        chain.append(builders.run(of, "FAILED", replay_of_run_id=chain[-1].run_id))
    builders.save(store, *chain)
    last = operator.page(f"/runs/{chain[-1].run_id}")
    assert _shape(last.html).count("(") == 3
    assert "There is more above" in last.text
