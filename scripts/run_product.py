"""`make run`: the whole product under one supervisor (docs/architecture.md 9).

Chooses ports, finds Temporal, prepares the database, starts Temporal, the worker and the web, keeps
them running, and ends all of it on Ctrl-C or SIGTERM with exit code 0. Uses a Temporal that
TEMPORAL_ADDRESS names, and a database that DATABASE_URL names, instead of its own.
"""

from __future__ import annotations

import os
import sys

from pydantic import ValidationError

from engine import compose
from engine.settings import Settings
from scripts.product.claim import AlreadyRunning, Claim
from scripts.product.ports import PortsInUse, check
from scripts.product.start import Interrupted, NotStarted, Product
from scripts.product.temporal_server import HOST as TEMPORAL_HOST
from scripts.product.terminal import Stop, ctrl_c_is_ours, say


def main() -> int:
    try:
        # What an earlier product wrote for other shells is not for this one.
        settings = Settings(_env_file=None)
    except ValidationError as error:
        print(compose.wrong_values(error), file=sys.stderr)
        return 2
    settings = settings.model_copy(update={"data_dir": settings.data_dir.resolve()})
    stop = Stop()
    with ctrl_c_is_ours():
        stop.listen()
        try:
            claim = Claim(settings.data_dir)
        except (AlreadyRunning, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        try:
            return run(settings, claim, stop)
        finally:
            claim.release()


def run(settings: Settings, claim: Claim, stop: Stop) -> int:
    own_temporal = not os.environ.get("TEMPORAL_ADDRESS")
    claim.end_left_behind()
    try:
        check_ports(settings, own_temporal=own_temporal)
    except PortsInUse as error:
        print(error, file=sys.stderr)
        return 1
    product = Product(settings, claim, stop, own_temporal=own_temporal)
    try:
        product.start()
        product.keep()
    except NotStarted as error:
        say(str(error))
        return 1
    except Interrupted:
        return 0
    finally:
        product.end()
    return 0


def check_ports(settings: Settings, *, own_temporal: bool) -> None:
    check(settings.host, {"PORT": settings.port})
    if own_temporal:
        ports = {
            "TEMPORAL_PORT": settings.temporal_port,
            "TEMPORAL_UI_PORT": settings.temporal_ui_port,
        }
        check(TEMPORAL_HOST, {**ports, "PORT": settings.port})


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Not by way of the interpreter's own exit, which a closed terminal could still spoil.
    os._exit(code)
