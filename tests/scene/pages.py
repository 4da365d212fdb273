"""The address of every page, by a name: each GET route once at least, and its states.

A route that is not named here is visited with what `_PARAMETERS` says of its variables, so that a
new page is looked at without anybody remembering to; one with a new variable is refused.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask
from werkzeug.routing import Rule

from engine.contract import occurrence
from tests.scene.desk import Desk
from tests.scene.documents import PING

NOTHING: Final = "00000000-0000-0000-0000-000000000000"
"""The id of no row."""
_FAULTS: Final = (403, 404, 409, 422, 503)


def pages(app: Flask, desk: Desk) -> dict[str, str]:
    """By the picture's name; what answers with a file or leads elsewhere is among them."""
    named = _states(desk)
    with app.test_request_context():
        found = {name: app.url_for(endpoint, **values) for name, endpoint, values in named}
        known = {endpoint for _, endpoint, _ in named}
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and rule.endpoint not in known | {"static", FAULT}:
                name = rule.endpoint.replace(".", "-").replace("_", "-")
                found[name] = app.url_for(rule.endpoint, **_values(rule, desk))
        found |= {f"error-{code}": app.url_for(FAULT, code=code) for code in _FAULTS}
    return found


FAULT: Final = "fault"
"""The endpoint of the scene alone that answers with the error of its number."""


def _values(rule: Rule, desk: Desk) -> dict[str, Any]:
    parameters = {
        "run_id": desk.runs["failed"],
        "key": "device-check",
        "bulk_id": desk.bulk["draft"],
        "task_id": desk.tasks["open"],
    }
    unknown = rule.arguments - parameters.keys()
    assert not unknown, f"tests/scene/pages.py does not know what to put for {unknown} of {rule}"
    return {name: parameters[name] for name in rule.arguments}


def _states(desk: Desk) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, endpoint, and the values of its address."""

    def run(name: str, page: str, of: str = "failed", **more: Any) -> tuple[str, str, Any]:
        return name, f"runs.{page}", {"run_id": desk.runs[of], **more}

    def workflow(name: str, page: str, key: str = "device-check", **more: Any) -> Any:
        return name, f"definitions.{page}", {"key": key, **more}

    return [
        ("runs", "runs.index", {}),
        ("runs-filtered", "runs.index", {"status": ["FAILED", "CANCELED"], "last": "24h"}),
        ("runs-none", "runs.index", {"q": "ffffffff"}),
        run("run-failed", "show"),
        run("run-step", "show", step=occurrence(PING, [1]), _anchor="the-step"),
        run("run-step-file", "step_file", part="attempts", step=occurrence(PING, [1])),
        run("run-waiting", "show", "waiting"),
        run("run-over-quota", "show", "over quota"),
        run("run-queued", "show", "queued"),
        run("run-going-on", "show", "going on"),
        run("run-cancel-requested", "show", "cancel requested"),
        run("run-canceled", "show", "canceled"),
        run("run-not-started", "show", "not started"),
        run("run-parent", "show", "parent"),
        run("run-child", "show", "second child"),
        run("run-before-the-cut-over", "show", "before the cut-over"),
        run("run-banner", "banner", "queued"),
        run("run-timeline", "timeline"),
        run("run-timeline-empty", "timeline", "queued"),
        run("run-graph", "graph"),
        run("run-graph-fit", "graph", "going on", zoom="fit"),
        run("run-log", "log"),
        run("run-log-empty", "log", level="ERROR", q="nothing"),
        run("run-calls", "calls"),
        run("run-calls-empty", "calls", "queued"),
        run("run-audit", "audit"),
        run("run-replay", "ask_replay"),
        run("run-replay-edit", "ask_replay", edit=1),
        run("run-reveal", "ask_reveal"),
        run("run-compare", "compare", **{"with": desk.runs["done 0"]}),
        run("run-compare-choose", "compare"),
        run("run-compare-unknown", "compare", **{"with": "nope"}),
        ("run-missing", "runs.show", {"run_id": NOTHING}),
        ("bulk", "bulk.index", {}),
        ("bulk-draft", "bulk.show", {"bulk_id": desk.bulk["draft"]}),
        ("bulk-going-on", "bulk.show", {"bulk_id": desk.bulk["going on"]}),
        ("bulk-done", "bulk.show", {"bulk_id": desk.bulk["done"]}),
        ("views", "saved_views.index", {}),
        ("views-save", "saved_views.index", {"query": "status=FAILED"}),
        ("engine", "engine.index", {}),
        ("waits", "waits.index", {}),
        ("waits-mine", "waits.index", {"mine": 1}),
        ("task", "waits.ask_answer", {"task_id": desk.tasks["open"]}),
        ("task-answered", "waits.ask_answer", {"task_id": desk.tasks["answered"]}),
        ("task-closed", "waits.ask_answer", {"task_id": desk.tasks["closed"]}),
        ("workflows", "definitions.index", {}),
        workflow("workflow", "show"),
        workflow("workflow-paused", "show", "nightly-report"),
        workflow("workflow-draft", "show", "offboarding"),
        workflow("workflow-graph", "graph"),
        workflow("run-dialog", "ask_run"),
        workflow("run-dialog-json", "ask_run", "onboarding"),
    ]  # fmt: skip
