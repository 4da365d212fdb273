"""Ports: refused before anything is started, with the variable that would choose another."""

from __future__ import annotations

import socket
from collections.abc import Mapping


class PortsInUse(Exception):
    """The message names each port and its variable."""


def check(host: str, ports: Mapping[str, int]) -> None:
    """`ports`: variable name to number. Raises `PortsInUse` for all that are taken."""
    doubled = [name for name, port in ports.items() if list(ports.values()).count(port) > 1]
    if doubled:
        raise PortsInUse(f"{' and '.join(doubled)} name the same port {ports[doubled[0]]}.")
    taken = {name: port for name, port in ports.items() if not is_free(host, port)}
    if taken:
        lines = [
            f"Port {port} is in use. Set {name} to another: {name}={_next(host, port)} make run"
            for name, port in taken.items()
        ]
        raise PortsInUse("\n".join(lines))


def is_free(host: str, port: int) -> bool:
    # A listener on all addresses holds the port too, and one on another address does not.
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(address)
            except OSError:
                return False
    return True


def _next(host: str, port: int) -> int:
    """A free one to suggest."""
    return next((n for n in range(port + 1, min(port + 1000, 65536)) if is_free(host, n)), 0)


def answers(host: str, port: int, timeout_s: float = 0.5) -> bool:
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True
