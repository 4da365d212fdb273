"""Every environment variable of the product, typed, in one place.

Wrong values are refused at start, all of them listed; variables that are not ours are ignored, the
original's flags too (rules.md 12). No variable chooses an engine or a queue. A test holds the table
in docs/operating.md equal to these fields.
"""

from __future__ import annotations

import base64
import os
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    DirectoryPath,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from engine import setting_checks
from engine.runs.redaction import Redactor

ROOT = Path(__file__).resolve().parent.parent

HostsOrNetworks = Annotated[
    tuple[str, ...], NoDecode, AfterValidator(setting_checks.hosts_or_networks)
]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        # Written by a product that runs from this folder, so that a command finds it.
        env_file=Path(os.environ.get("DATA_DIR") or ROOT / "var") / "running.env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    data_dir: Annotated[Path, AfterValidator(setting_checks.data_dir)] = ROOT / "var"
    """Where SQLite, Temporal's file and generated keys live."""
    database_url: Annotated[str, AfterValidator(setting_checks.database_url)] = ""
    """SQLAlchemy URL; empty: SQLite in `data_dir`."""
    database_password_file: Path | None = None
    """Its first line is the password of DATABASE_URL, which then holds none."""
    secret_key: Annotated[SecretStr, AfterValidator(setting_checks.secret_key)] | None = None
    """Signs cookies and forms; without it one is generated into `data_dir`."""
    secret_key_file: Path | None = None
    port: int = Field(default=8080, ge=1, le=65535)
    host: str = "127.0.0.1"
    production: bool = False
    """Cookies only over HTTPS; loopback and private addresses denied to http.request."""
    admin_email: str | None = None
    """With ADMIN_PASSWORD: the first operator that `make run` makes."""
    admin_password: SecretStr | None = None

    temporal_address: Annotated[str, AfterValidator(setting_checks.temporal_address)] = (
        "127.0.0.1:7233"
    )
    temporal_port: int = Field(default=7233, ge=1, le=65535)
    """Where `make run` puts its own Temporal; unused when TEMPORAL_ADDRESS is set."""
    temporal_ui_port: int = Field(default=8233, ge=1, le=65535)
    temporal_namespace: Annotated[str, AfterValidator(setting_checks.header_value)] = "default"
    temporal_tls: bool = False
    temporal_api_key: Annotated[SecretStr, AfterValidator(setting_checks.api_key)] | None = None
    temporal_codec_key: SecretStr | None = None
    """32 bytes, URL-safe base64: payloads in Temporal are encrypted with it."""
    temporal_ui_url: Annotated[str, AfterValidator(setting_checks.web_address)] | None = None
    """Where runs link to; empty: no link."""

    worker_slots: int = Field(default=20, ge=1, le=1000)
    """Action attempts a worker executes at once."""
    payload_max_bytes: int = Field(default=512 * 1024, ge=1024, le=1024 * 1024)
    launches_per_minute: int = Field(default=60, ge=1)
    sign_in_attempts_per_minute: int = Field(default=10, ge=1)
    session_hours: int = Field(default=12, ge=1, le=24 * 30)
    redaction_patterns: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma-separated regular expressions of keys to mask, beside the built-in one."""
    redaction_pointers: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma-separated JSON pointers to mask: /payload/… and /vars/…"""

    http_allow: HostsOrNetworks = ()
    """Comma-separated hosts or networks that http.request may reach beside the public ones."""
    http_deny: HostsOrNetworks = ()
    smtp_url: Annotated[str, AfterValidator(setting_checks.smtp_url)] | None = None
    """smtp://[user:password@]host[:port], smtps:// for TLS."""
    smtp_from: Annotated[str, AfterValidator(setting_checks.sender)] = "run-studio@localhost"
    secrets_dir: DirectoryPath | None = None
    """A directory of files, one a secret, beside SECRET_<NAME> and SECRET_<NAME>_FILE."""

    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_json: bool = False

    @field_validator(
        "redaction_patterns", "redaction_pointers", "http_allow", "http_deny", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("database_password_file")
    @classmethod
    def _is_needed_there(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        url = others.data.get("database_url")
        if value is None or url is None:  # None: wrong itself
            return value
        return setting_checks.password_file(value, url)

    @field_validator("secret_key_file")
    @classmethod
    def _is_the_only_key(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        if value is None:
            return None
        return setting_checks.secret_key_file(value, others.data.get("secret_key"))

    @field_validator("temporal_codec_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_32_bytes(value.get_secret_value()):
            raise ValueError("must be 32 bytes in URL-safe base64")
        return value

    @field_validator("redaction_patterns")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Redactor(patterns=value)
        return value

    @field_validator("redaction_pointers")
    @classmethod
    def _are_pointers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Redactor(pointers=value)
        return value

    @cached_property
    def effective_database_url(self) -> str:
        """With the password; for SQLite, a file in `data_dir` unless a URL says otherwise."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'run-studio.sqlite3'}"
        if self.database_password_file is None:
            return self.database_url
        scheme, _, rest = self.database_url.partition("://")
        user, _, server = rest.rpartition("@")
        password = self.database_password_file.read_text().splitlines()[0]
        return f"{scheme}://{user.partition(':')[0]}:{quote(password, safe='')}@{server}"


def _is_32_bytes(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except ValueError:
        return False
