"""`flask operators` on a real database."""

from __future__ import annotations

import pytest

from tests.integration.commands.conftest import CommandLine

PASSWORD = "a long enough passphrase"


def test_an_operator_is_added_with_a_password_from_standard_input(flask: CommandLine) -> None:
    result = flask(
        "operators", "add", "Ada@MSP.example", "--role", "operator", input=f"{PASSWORD}\n"
    )
    assert "ada@msp.example can sign in as operator." in result.stderr
    assert PASSWORD not in result.output
    [row] = flask.json("operators", "list")
    assert (row["email"], row["role"], row["active"]) == ("ada@msp.example", "operator", True)


@pytest.mark.parametrize(
    ("arguments", "password", "code"),
    [
        (["ada@msp.example"], PASSWORD, 2),
        (["ada@msp.example", "--role", "king"], PASSWORD, 2),
        (["ada@msp.example", "--role", "admin"], "", 2),
        (["ada@msp.example", "--role", "admin"], "short", 3),
        (["no address", "--role", "admin"], PASSWORD, 3),
    ],
)
def test_a_wrong_operator_is_not_added(
    flask: CommandLine, arguments: list[str], password: str, code: int
) -> None:
    result = flask("operators", "add", *arguments, input=password, code=code)
    assert result.stderr
    assert flask.json("operators", "list") == []


def test_an_email_is_taken_once(flask: CommandLine) -> None:
    flask("operators", "add", "a@x.example", "--role", "viewer", input=PASSWORD)
    flask("operators", "add", "A@x.example", "--role", "viewer", input=PASSWORD, code=3)


def test_roles_and_passwords_change_and_one_admin_remains(flask: CommandLine) -> None:
    flask("operators", "add", "a@x.example", "--role", "admin", input=PASSWORD)
    flask("operators", "role", "a@x.example", "viewer", code=3)
    flask("operators", "add", "b@x.example", "--role", "viewer", input=PASSWORD)
    assert flask.json("operators", "role", "b@x.example", "admin")["role"] == "admin"
    flask("operators", "password", "b@x.example", input="another long passphrase")
    assert flask.json("operators", "deactivate", "a@x.example")["active"] is False
    flask("operators", "role", "nobody@x.example", "admin", code=3)
    states = {row["email"]: row["active"] for row in flask.json("operators", "list")}
    assert states == {"a@x.example": False, "b@x.example": True}
