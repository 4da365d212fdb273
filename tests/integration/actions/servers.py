"""Small real servers on loopback: HTTP with scripted answers, and SMTP that keeps what it gets."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HttpServer

    def give(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        seen = Seen(self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.server.seen.append(seen)
        try:
            self.server.routes[self.path.partition("?")[0]](self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Silent."""


class HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Seen] = []
        self.routes: dict[str, Answer] = {}
        self.gone = threading.Event()
        """Set when a client has closed its connection while it was waiting."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    """On a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def http_server() -> Iterator[HttpServer]:
    with HttpServer() as server, _serving(server):
        yield server


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Mail:
    sender: str
    recipients: list[str] = field(default_factory=list)
    data: bytes = b""


class _Smtp(socketserver.StreamRequestHandler):
    server: SmtpServer

    def handle(self) -> None:
        self.say("220 ready")
        mail = Mail("")
        for raw in self.rfile:
            verb, _, rest = raw.decode().strip().partition(" ")
            verb = verb.upper()
            if self.server.hangs_up_at == verb:
                return
            answer = self.server.answers.get(f"{verb} {rest}") or self.server.answers.get(verb)
            if answer is None:
                answer = self.accept(verb, rest, mail)
            self.say(answer)
            if verb == "QUIT":
                return
            if verb == "DATA" and answer.startswith("354"):
                mail.data = b"".join(iter(self.rfile.readline, b".\r\n"))
                if self.server.hangs_up_at == "AFTER DATA":
                    return
                self.server.mails.append(mail)
                self.say("250 taken")
                mail = Mail("")

    def accept(self, verb: str, rest: str, mail: Mail) -> str:
        match verb:
            case "EHLO":
                return "250-here\r\n250 AUTH PLAIN"
            case "AUTH":
                self.server.logins.append(rest)
                return "235 come in"
            case "MAIL":
                mail.sender = rest
                return "250 ok"
            case "RCPT":
                mail.recipients.append(rest)
                return "250 ok"
            case "DATA":
                return "354 go on"
            case _:
                return "250 ok"

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


class SmtpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.mails: list[Mail] = []
        self.logins: list[str] = []
        self.answers: dict[str, str] = {}
        """What is said instead, by verb or by verb and argument."""
        self.hangs_up_at: str | None = None

    def url(self, user: str = "") -> str:
        return f"smtp://{user}127.0.0.1:{self.server_address[1]}"


@contextmanager
def smtp_server() -> Iterator[SmtpServer]:
    with SmtpServer() as server, _serving(server):
        yield server
