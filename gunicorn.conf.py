"""gunicorn, as this product needs it.

Threads and no preload: one Temporal client and one loop thread a process, made after the fork. No
control socket. gevent is not used: Temporal's SDK advises against it.
"""

import app  # noqa: F401  (modules are loaded once, before the fork; nothing is made of them)
from engine.settings import Settings

_settings = Settings()

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
