"""gunicorn, as this product needs it.

Threads and no preload: one Temporal client and one loop thread a process, made after the fork. No
control socket. gevent is not used: Temporal's SDK advises against it.
"""

import os
import sys
from typing import NoReturn

import structlog

import app  # modules are loaded once, before the fork; nothing is made of them
from engine import compose, logging

_settings = compose.read_settings()

bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 2
threads = 8
preload_app = False
timeout = 30
graceful_timeout = 10
keepalive = 5
control_socket_disable = True
loglevel = _settings.log_level.lower()
worker_tmp_dir = None
"""Of a worker's sign of life; in containers: /dev/shm."""


def on_starting(server: object) -> None:
    """Rehearse in a process of its own: what keeps the application from being made is said once,
    instead of by every worker, with gunicorn's tracebacks around it."""
    rehearsal = os.fork()
    if not rehearsal:
        _rehearse()
    code = os.waitstatus_to_exitcode(os.waitpid(rehearsal, 0)[1])
    if code:
        sys.exit(code)


def _rehearse() -> NoReturn:
    code: object = 1
    try:
        app.create_app()
        code = 0
    except SystemExit as ending:
        code = ending.code
    except Exception as error:  # noqa: BLE001
        structlog.get_logger("web").error("web.failed", exc_info=error)
    finally:
        logging.flush()
        os._exit(code if isinstance(code, int) else 1)


def worker_exit(server: object, worker: object) -> None:
    """Leave with gunicorn's own code, but not by way of the interpreter's exit.

    A process that used temporalio may abort in it (docs/measured.md 4), and gunicorn would report a
    worker that had ended well as killed.
    """
    ending = sys.exc_info()[1]
    code = ending.code if isinstance(ending, SystemExit) else 1
    logging.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
