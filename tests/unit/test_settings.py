"""A wrong value of any setting is refused at the start, in words and without the value.

docs/rules.md 12.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import compose
from engine.settings import Settings

WRONG = [
    ("DATABASE_URL", "no url, s3cret"),
    ("DATABASE_URL", "/var/lib/run-studio.sqlite3"),
    ("DATABASE_URL", "mysql://somebody:s3cret@host/name"),
    ("DATABASE_URL", "postgresql+asyncpg://somebody:s3cret@host/name"),
    ("DATABASE_URL", "postgresql://somebody:s3cret@host:port/name"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATA_DIR", "<file>"),
    ("DATA_DIR", "<file>/below"),
    ("SECRET_KEY", "  "),
    ("SECRET_KEY_FILE", "<folder>/not-there"),
    ("SECRET_KEY_FILE", "<folder>"),
    ("SECRET_KEY_FILE", "<empty>"),
    ("SECRET_KEY_FILE", "<binary>"),
    ("TEMPORAL_ADDRESS", "nonsense"),
    ("TEMPORAL_ADDRESS", ":7233"),
    ("TEMPORAL_ADDRESS", "http://127.0.0.1:7233"),
    ("TEMPORAL_ADDRESS", "127.0.0.1:99999"),
    ("TEMPORAL_ADDRESS", "127.0.0.1:0"),
    ("TEMPORAL_ADDRESS", "127.0.0.1:port"),
    ("TEMPORAL_ADDRESS", "one two:7233"),
    ("TEMPORAL_ADDRESS", "::1:7233"),
    ("TEMPORAL_ADDRESS", "[1]:7233"),
    ("TEMPORAL_ADDRESS", "[127.0.0.1]:7233"),
    ("TEMPORAL_ADDRESS", "999.1.1.1:7233"),
    ("TEMPORAL_ADDRESS", "127.0.0.1:७२३३"),
    ("TEMPORAL_ADDRESS", "somebody:s3cret@127.0.0.1:7233"),
    ("TEMPORAL_NAMESPACE", " "),
    ("TEMPORAL_API_KEY", "s3cret\n"),
    ("TEMPORAL_API_KEY", "s3crét"),
    ("TEMPORAL_UI_URL", "javascript:alert(1)"),
    ("TEMPORAL_UI_URL", "127.0.0.1:8233"),
    ("TEMPORAL_UI_URL", "http://[::1"),
    ("HTTP_ALLOW", "one.example, 10.0.0.0/33"),
    ("HTTP_DENY", "300.1.1.1"),
    ("HTTP_DENY", "http://one.example/"),
    ("SMTP_URL", "s3cret"),
    ("SMTP_URL", "smtp://somebody:s3cret@host:port"),
    ("SMTP_FROM", "nobody"),
    ("SMTP_FROM", "nobody@example.com\nBcc: all@example.com"),
    ("SECRETS_DIR", "<folder>/not-there"),
    ("SECRETS_DIR", "<file>"),
]

USABLE = [
    ("DATABASE_URL", "sqlite:////var/lib/run-studio.sqlite3"),
    ("DATABASE_URL", "postgres://somebody:s3cret@host:5432/name"),
    ("DATABASE_URL", "postgresql+psycopg://somebody@/name?host=/run/postgresql"),
    ("DATA_DIR", "<folder>/not-there/yet"),
    ("SECRET_KEY_FILE", "<file>"),
    ("TEMPORAL_ADDRESS", "temporal:7233"),
    ("TEMPORAL_ADDRESS", "[::1]:7233"),
    ("TEMPORAL_ADDRESS", "eu-west-1.aws.api.temporal.io:7233"),
    ("TEMPORAL_NAMESPACE", "run-studio.a1b2c"),
    ("TEMPORAL_UI_URL", "https://temporal.example/ui"),
    ("HTTP_ALLOW", "10.0.0.0/8, .example.com, *.example.org, ::1, [::1], host_1, müller.example"),
    ("SMTP_URL", "smtps://somebody:s3cret@host"),
    ("SMTP_FROM", "Run Studio <runs@example.com>"),
    ("SECRETS_DIR", "<folder>"),
]


@pytest.fixture(autouse=True)
def _only_these_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    (tmp_path / "file").write_text("a line\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")


def placed(value: str, folder: Path) -> str:
    for name in ("file", "empty", "binary"):
        value = value.replace(f"<{name}>", str(folder / name))
    return value.replace("<folder>", str(folder))


def refusal(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the process says as it ends for its settings."""
    with pytest.raises(SystemExit) as ended:
        compose.read_settings()
    assert ended.value.code == 2
    first, *problems = capsys.readouterr().err.splitlines()
    assert first == "These settings cannot be used:"
    return problems


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_in_one_line_that_names_the_variable(
    name: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, placed(value, tmp_path))
    (said,) = refusal(capsys)
    assert said.startswith(f"  {name}: ")
    assert "s3cr" not in said
    assert "Value error" not in said


@pytest.mark.parametrize(("name", "value"), USABLE)
def test_a_usual_value_is_not(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, placed(value, tmp_path))
    compose.read_settings()


@pytest.mark.parametrize("url", ["", "sqlite:////var/lib/run-studio.sqlite3"])
def test_a_password_without_a_database_that_it_is_for_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would begin on SQLite, where nothing is, instead of on PostgreSQL."""
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(tmp_path / "file"))
    (said,) = refusal(capsys)
    assert said == "  DATABASE_PASSWORD_FILE: needs a DATABASE_URL that names a PostgreSQL database"


@pytest.mark.parametrize("file", ["empty", "binary", "not-there"])
def test_a_password_file_that_holds_none_is_refused(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@host/name")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(tmp_path / file))
    assert refusal(capsys)[0].startswith("  DATABASE_PASSWORD_FILE: must name a ")


def test_two_secret_keys_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECRET_KEY", "one")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "file"))
    assert refusal(capsys) == ["  SECRET_KEY_FILE: and SECRET_KEY both give the key: set one"]
