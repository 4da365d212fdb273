"""The web application with fault points around the start of a run.

`start_run:before` lies between commit and start, `start_run:after` between start and answer.
"""

from __future__ import annotations

import os
from typing import Any

from werkzeug.serving import make_server

from app import create_app
from engine.services.context import Services
from tests.drills import fault_points


class FaultyGateway:
    def __init__(self, real: Any) -> None:
        self._real = real
        self.start_run = fault_points.armed("start_run", real.start_run, os.environ)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def main() -> None:
    app = create_app()
    services: Services = app.extensions["run_studio"]
    object.__setattr__(services, "gateway", FaultyGateway(services.gateway))
    server = make_server("127.0.0.1", int(os.environ["PORT"]), app, threaded=True)
    print("serving", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
