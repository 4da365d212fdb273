"""The web application with fault points around what an operator asks of it.

`start_run:before` lies between commit and start, `start_run:after` between start and answer.
"""

from __future__ import annotations

import os
from typing import Any, Final

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from werkzeug.serving import make_server

from app import create_app
from engine.gateway.runs import TemporalRunGateway
from tests.drills import clocks, fault_points

POINTS: Final[dict[str, tuple[Any, str]]] = {
    "start_run": (TemporalRunGateway, "start_run"),
    "cancel_run": (TemporalRunGateway, "cancel_run"),
    "update_run": (TemporalRunGateway, "update_run"),
    "commit": (PGDialect_psycopg, "do_commit"),
}


def main() -> None:
    clocks.move(os.environ)
    fault_points.arm(POINTS, os.environ)
    server = make_server("127.0.0.1", int(os.environ["PORT"]), create_app(), threaded=True)
    print("serving", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
