"""`flask operators`: who may sign in."""

from __future__ import annotations

import click

from engine.commands.arguments import as_json, read_password
from engine.commands.output import print_json, print_table, say
from engine.commands.session import ACTOR, CommandGroup, services
from engine.runs.roles import Role
from engine.services import manage_operators
from engine.store.operators import Operator

operators = CommandGroup("operators", help="Operators: add, list, change.")

_role = click.Choice([role.value for role in Role])


@operators.command("add")
@click.argument("email")
@click.option("--role", type=_role, required=True)
@as_json
def add(email: str, role: str, as_json: bool) -> None:
    """Add an operator. The password is asked for, or read from standard input."""
    password = read_password(email)
    operator = manage_operators.add_operator(services(), email, role, password, ACTOR)
    _done(operator, f"{operator.email} can sign in as {operator.role}.", as_json=as_json)


@operators.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the operators."""
    with services().store.reading() as session:
        found = manage_operators.list_operators(session)
    if as_json:
        print_json([_row(operator) for operator in found])
        return
    rows = [(each.email, each.role, "active" if each.is_active else "inactive") for each in found]
    print_table(("EMAIL", "ROLE", "STATE"), rows)
    if not found:
        say("Nobody can sign in: `flask operators add EMAIL --role admin`.")


@operators.command("role")
@click.argument("email")
@click.argument("role", type=_role)
@as_json
def role(email: str, role: str, as_json: bool) -> None:
    """Give an operator another role; it counts from the next request on."""
    operator = manage_operators.set_role(services(), email, role, ACTOR)
    _done(operator, f"{operator.email} is {operator.role} now.", as_json=as_json)


@operators.command("password")
@click.argument("email")
@as_json
def password(email: str, as_json: bool) -> None:
    """Set an operator's password, asked for or read from standard input. Ends their sessions."""
    operator = manage_operators.set_password(services(), email, read_password(email), ACTOR)
    _done(operator, f"The password of {operator.email} is set.", as_json=as_json)


@operators.command("deactivate")
@click.argument("email")
@as_json
def deactivate(email: str, as_json: bool) -> None:
    """Take an operator's access away, at once."""
    operator = manage_operators.deactivate(services(), email, ACTOR)
    _done(operator, f"{operator.email} cannot sign in any more.", as_json=as_json)


def _done(operator: Operator, message: str, *, as_json: bool) -> None:
    say(message)
    if as_json:
        print_json(_row(operator))


def _row(operator: Operator) -> dict[str, object]:
    return {
        "id": operator.operator_id,
        "email": operator.email,
        "role": operator.role,
        "active": operator.is_active,
    }
