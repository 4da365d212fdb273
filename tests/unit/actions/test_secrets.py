"""Secrets: found in three places, put in by name, masked wherever they come back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from engine.actions.secrets import Secrets
from engine.errors import Category, StepFailed
from engine.runs.redaction import MASK

VALUE = "p@ss w/ord+ü"


def test_a_value_comes_from_the_environment_a_file_or_the_directory(tmp_path: Path) -> None:
    (tmp_path / "FROM_FILE.txt").write_text("of a file\n")
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "FROM_DIRECTORY").write_text("of the directory\r\n")
    secrets = Secrets(
        {
            "SECRET_DIRECT": "direct",
            "SECRET_FROM_FILE_FILE": str(tmp_path / "FROM_FILE.txt"),
            "SECRET_EMPTY": "",
        },
        directory,
    )
    assert secrets.find("DIRECT") == "direct"
    assert secrets.find("FROM_FILE") == "of a file"
    assert secrets.find("FROM_DIRECTORY") == "of the directory"
    assert list(secrets.names) == ["DIRECT", "FROM_DIRECTORY", "FROM_FILE"]
    assert len(secrets.names) == 3
    assert "DIRECT" in secrets.names
    assert "EMPTY" not in secrets.names
    assert 5 not in secrets.names


@pytest.mark.parametrize("name", ["lower", "../ESCAPE", "A/B", "", "1A", "A\n"])
def test_a_name_of_another_form_is_never_looked_up(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "ESCAPE").write_text("outside")
    assert Secrets({f"SECRET_{name}": "x"}, inside).find(name) is None


def test_a_file_that_cannot_be_read_is_a_missing_secret(tmp_path: Path) -> None:
    assert Secrets({"SECRET_A_FILE": str(tmp_path / "none")}).find("A") is None
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert Secrets({"SECRET_A_FILE": str(tmp_path / "binary")}).find("A") is None


def test_references_are_replaced_at_any_depth_and_nothing_else_is() -> None:
    opened = Secrets({"SECRET_PASS": VALUE}).opened()
    given = {
        "headers": {"a": {"$secret": "PASS"}},
        "list": [{"$secret": "PASS"}, 1],
        "not one": {"$secret": "PASS", "more": 1},
        "nor this": {"$secret": 5},
    }
    assert opened.resolve(given) == {
        "headers": {"a": VALUE},
        "list": [VALUE, 1],
        "not one": {"$secret": "PASS", "more": 1},
        "nor this": {"$secret": 5},
    }
    assert given["list"][0] == {"$secret": "PASS"}  # type: ignore[index]


def test_a_missing_secret_is_an_action_error_that_names_it() -> None:
    with pytest.raises(StepFailed, match="MAIL_KEY") as failed:
        Secrets({}).opened().resolve({"a": {"$secret": "MAIL_KEY"}})
    assert failed.value.category is Category.ACTION
    assert failed.value.code == "SECRET_NOT_FOUND"


@pytest.mark.parametrize(
    "echo",
    [
        VALUE,
        f"Bearer {VALUE}!",
        quote(VALUE),
        quote(VALUE, safe=""),
        json.dumps({"a": VALUE}),
        json.dumps({"a": VALUE}, ensure_ascii=False),
        base64.b64encode(VALUE.encode()).decode(),
        "Basic " + base64.b64encode(f"u:{VALUE}".encode()).decode(),
        "Basic " + base64.b64encode(f"us:{VALUE}".encode()).decode(),
        "Basic " + base64.b64encode(f"use:{VALUE}:more".encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
        VALUE.encode().hex(),
    ],
)
def test_an_echo_is_masked_inside_texts_and_encoded(echo: str) -> None:
    opened = Secrets({"SECRET_PASS": VALUE}).opened()
    opened.resolve({"$secret": "PASS"})
    masked = opened.mask({"body": [echo], echo: 1})
    text = json.dumps(masked, ensure_ascii=False)
    assert MASK in masked["body"][0]
    assert VALUE not in text
    assert len(masked) == 2


def test_only_what_was_handed_out_is_masked() -> None:
    opened = Secrets({"SECRET_PASS": VALUE, "SECRET_OTHER": "another-one"}).opened()
    assert opened.mask(VALUE) == VALUE
    opened.secret("OTHER")
    assert opened.mask([VALUE, "another-one"]) == [VALUE, MASK]


def test_a_short_secret_is_masked_only_where_it_is_the_whole_text() -> None:
    opened = Secrets({"SECRET_PIN": "123"}).opened()
    opened.secret("PIN")
    assert opened.mask(["123", "1234", 123, 1234, True, None]) == [
        MASK, "1234", MASK, 1234, True, None,
    ]  # fmt: skip


def test_an_error_is_masked_in_message_and_details() -> None:
    opened = Secrets({"SECRET_PASS": VALUE}).opened()
    opened.secret("PASS")
    error = StepFailed(
        Category.TRANSIENT, f"with {VALUE}", code="HTTP_500", details={"body": {"x": VALUE}}
    )
    masked = opened.mask_error(error)
    assert masked.as_data() == {
        "category": "TransientError",
        "code": "HTTP_500",
        "message": f"with {MASK}",
        "details": {"body": {"x": MASK}},
    }


def test_a_replaced_value_counts_at_once() -> None:
    environ = {"SECRET_PASS": "first"}
    secrets = Secrets(environ)
    assert secrets.find("PASS") == "first"
    environ["SECRET_PASS"] = "second"
    assert secrets.find("PASS") == "second"


def test_the_products_own_key_is_no_secret_of_a_workflow(tmp_path: Path) -> None:
    """SECRET_KEY and SECRET_KEY_FILE are settings (engine.settings)."""
    (tmp_path / "key").write_text("signs cookies")
    secrets = Secrets({"SECRET_KEY": "signs", "SECRET_KEY_FILE": str(tmp_path / "key")})
    assert secrets.find("KEY") is None
    assert secrets.find("KEY_FILE") is None
    assert list(secrets.names) == []
    with pytest.raises(StepFailed):
        secrets.opened().resolve({"$secret": "KEY"})


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("body that was cut: s3cr3t-to", f"body that was cut: {MASK}"),
        ("body that was cut: s3cr3t-toke", f"body that was cut: {MASK}"),
        ("body that was cut: s3cr3", "body that was cut: s3cr3"),
        ("s3cr3t-to was not the end", "s3cr3t-to was not the end"),
    ],
)
def test_a_secret_of_which_the_end_was_cut_off_is_masked(text: str, masked: str) -> None:
    opened = Secrets({"SECRET_A": "s3cr3t-token"}).opened()
    opened.secret("A")
    assert opened.mask(text) == masked
