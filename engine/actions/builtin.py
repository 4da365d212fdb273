"""The built-in actions, and what an installation sets for them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.actions import store_values
from engine.actions.action import Action
from engine.actions.addresses import AddressPolicy
from engine.actions.email_send import email_send
from engine.actions.http_request import http_request
from engine.actions.log_write import LOG_WRITE


@dataclass(frozen=True, slots=True)
class ActionOptions:
    """The composition root fills it from the settings of the same names."""

    production: bool = False
    """Loopback and private addresses are denied to http.request unless allowed."""
    http_allow: tuple[str, ...] = ()
    http_deny: tuple[str, ...] = ()
    smtp_url: str | None = None
    smtp_from: str = "run-studio@localhost"


def actions(options: ActionOptions) -> list[Action]:
    """Every built-in action, made with these options."""
    policy = AddressPolicy(
        allow=options.http_allow, deny=options.http_deny, production=options.production
    )
    return [
        http_request(policy),
        email_send(options.smtp_url, options.smtp_from),
        LOG_WRITE,
        *store_values.actions(),
    ]
