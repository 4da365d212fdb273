"""What a value of a setting must look like, where its type does not say so (docs/rules.md 12).

Each takes a value and gives it back, or raises ValueError with what is wrong: never with the value,
which may be a secret. Files are looked into, for a start that fails later fails in no words.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from engine.actions.email_send import SmtpServer
from engine.store.session import normal_url

_DRIVERS: Final = {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}
_HOST: Final = re.compile(r"[A-Za-z0-9_.-]+")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_HOST_NAMES: Final = re.compile(r"(\*?\.)?\w[\w.-]*")
_LIKE_AN_ADDRESS: Final = re.compile(r"[0-9.]+")


def database_url(url: str) -> str:
    """Empty: the default. SQLite in memory is refused: each process would have its own."""
    if not url:
        return url
    try:
        parsed = make_url(normal_url(url))
    except (ArgumentError, ValueError):
        raise ValueError(
            "must be sqlite:////FOLDER/FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise ValueError("must begin with sqlite:// or postgresql://: no other database is used")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("must name a file: web and worker share no database in memory")
    return url


def password_file(path: Path, url: str) -> Path:
    """Of the database that `url` names. Without one the product would begin on SQLite."""
    if not url.startswith("postgres"):
        raise ValueError("needs a DATABASE_URL that names a PostgreSQL database")
    return _with_a_line(path)


def secret_key_file(path: Path, beside: object) -> Path:
    """`beside`: SECRET_KEY, where it is set."""
    if beside is not None:
        raise ValueError("and SECRET_KEY both give the key: set one")
    return _with_a_line(path)


def secret_key(key: SecretStr) -> SecretStr:
    if not key.get_secret_value().strip():
        raise ValueError("must not be blank")
    return key


def api_key(key: SecretStr) -> SecretStr:
    header_value(key.get_secret_value())
    return key


def data_dir(path: Path) -> Path:
    """It may still have to be made."""
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not nearest.is_dir():
        raise ValueError("must be a folder")
    return path


def temporal_address(address: str) -> str:
    """The SDK waits for ever with some wrong ones, and raises at the first call with others: where
    that is the start of a run, its row would be there and nothing behind it."""
    host, _, port = address.rpartition(":")
    if not _is_host(host) or not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise ValueError("must be HOST:PORT, as 127.0.0.1:7233")
    return address


def _is_host(host: str) -> bool:
    """A name, an IPv4 address, or an IPv6 address in brackets."""
    if not (host.startswith("[") or _LIKE_AN_ADDRESS.fullmatch(host)):
        return _HOST.fullmatch(host) is not None
    try:
        return (ip_address(host.strip("[]")).version == 6) == host.startswith("[")
    except ValueError:
        return False


def header_value(text: str) -> str:
    """It is sent in a header."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("must be visible ASCII characters without spaces")
    return text


def web_address(url: str) -> str:
    """Pages link to it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must begin with http:// or https:// and a host")
    return url


def hosts_or_networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    """A mistyped network would be taken for the name of a host, and would allow or deny nothing."""
    for entry in entries:
        try:
            ip_network(entry.strip("[]"), strict=False)
        except ValueError:
            if not _HOST_NAMES.fullmatch(entry) or _LIKE_AN_ADDRESS.fullmatch(entry):
                raise ValueError(
                    f"{entry!r} is no host name, address or network (as 10.0.0.0/8)"
                ) from None
    return entries


def smtp_url(url: str) -> str:
    try:
        SmtpServer.of(url)
    except ValueError:
        raise ValueError(
            "must be smtp://[USER:PASSWORD@]HOST[:PORT], or smtps:// for TLS"
        ) from None
    return url


def sender(text: str) -> str:
    if "@" not in text or not text.isprintable():
        raise ValueError("must be an email address on one line")
    return text


def _with_a_line(path: Path) -> Path:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ValueError("must name a text file that this process may read") from None
    if not lines or not lines[0].strip():
        raise ValueError("must name a file whose first line is not empty")
    return path
