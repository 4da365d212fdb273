"""Hold docker-compose.ee.yaml to its promise: `scripts/compose-check [--no-build]`.

It is brought up as it stands, by whatever Docker there is; a workflow is run by the web's pages;
each service is killed in turn, with a run under way; and it goes down. Exit code 0 only when all of
it held, 1 when something did not, 3 when there is no Docker here.
"""

from __future__ import annotations

import argparse
import secrets
import socket
import sys
import time

from scripts.compose_check.compose import FILE, Compose, Failed, NoDocker
from scripts.compose_check.operator import NotAsPromised, Operator

LONG_LIVED = ("postgres", "temporal", "temporal-ui", "worker", "web")
ONE_SHOTS = ("secrets", "temporal-schema", "temporal-namespace", "migrate")
EMAIL = "check@run-studio.example"
WORKFLOW = "backup-review"
PAYLOAD = {"client": "Fabrikam", "devices": [{"name": "nas-1", "report": "not readable"}]}
DOWN_S = 60
"""Going down takes seconds; this is more than the longest grace period would need in idleness."""
RUN_S = 120
AT_ONCE_S = 20
"""Of a run that is started when all is healthy: it takes two seconds on two busy cores."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/compose-check", description=__doc__)
    parser.add_argument("--no-build", action="store_true", help="take the image that is there")
    options = parser.parse_args()
    port, ui_port, password = free_port(), free_port(), secrets.token_urlsafe(18)
    compose = Compose(
        {
            "PORT": str(port),
            "TEMPORAL_UI_PORT": str(ui_port),
            "ADMIN_EMAIL": EMAIL,
            "ADMIN_PASSWORD": password,
        }
    )
    try:
        say(f"Docker {compose.look()}, {FILE} as it stands; the web's port is {port}")
    except NoDocker as missing:
        say(f"There is no Docker to check with: {missing}. Nothing was checked.")
        return 3
    try:
        check(compose, Operator(f"http://127.0.0.1:{port}"), password, build=not options.no_build)
    except (Failed, NotAsPromised, OSError) as error:
        say(f"NOT AS PROMISED: {error}")
        say(compose.logs())
        return 1
    finally:
        compose("down", "--volumes", "--timeout", "10")
    say("All of it held.")
    return 0


def check(compose: Compose, operator: Operator, password: str, *, build: bool) -> None:
    compose("down", "--volumes", "--timeout", "10")  # of a check that was interrupted
    bring_up(compose, *(["--build"] if build else []))
    operator.sign_in(EMAIL, password)
    run_to_the_end(operator, "signed in; a run")
    for service in LONG_LIVED:
        survive(compose, operator, service)
    go_down(compose)
    bring_up(compose)
    run_to_the_end(operator, "after going down and up with the same data, a run")
    go_down(compose)


def bring_up(compose: Compose, *options: str) -> None:
    took = compose("up", "--detach", "--wait", *options)
    found = {each["Service"]: each for each in compose.services()}
    for service in LONG_LIVED:
        state = found.get(service, {}).get("Health", "not there")
        if state != "healthy":
            raise NotAsPromised(f"{service} is {state}")
    for service in ONE_SHOTS:
        if found.get(service, {}).get("ExitCode") != 0:
            raise NotAsPromised(f"{service} did not end well")
    say(f"up in {took:.0f} s: {len(LONG_LIVED)} services healthy, {len(ONE_SHOTS)} one-shots done")


def run_to_the_end(operator: Operator, what: str) -> None:
    began = time.monotonic()
    ended(operator, operator.start(WORKFLOW, PAYLOAD), AT_ONCE_S)
    say(f"{what} of {WORKFLOW} SUCCEEDED in {time.monotonic() - began:.1f} s")


def ended(operator: Operator, run_id: str, within_s: float) -> None:
    status = operator.outcome(run_id, within_s)
    if status != "SUCCEEDED":
        raise NotAsPromised(f"run {run_id} ended {status}")


def survive(compose: Compose, operator: Operator, service: str) -> None:
    """Killed with a run under way, and brought back: that run ends, and another one too."""
    under_way = operator.start(WORKFLOW, PAYLOAD)
    compose("kill", service)
    took = compose("up", "--detach", "--wait")
    ended(operator, under_way, RUN_S)
    ended(operator, operator.start(WORKFLOW, PAYLOAD), AT_ONCE_S)
    say(f"{service} killed: back in {took:.0f} s; the run under way and the next one SUCCEEDED")


def go_down(compose: Compose) -> None:
    took = compose("down")
    left = [each["Name"] for each in compose.services()]
    if left:
        raise NotAsPromised(f"left behind: {', '.join(left)}")
    if took > DOWN_S:
        raise NotAsPromised(f"going down took {took:.0f} s")
    say(f"down in {took:.0f} s, nothing left behind but the data")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(text: str) -> None:
    print(f"compose-check: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
