"""`email.send` against a real SMTP server on loopback."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest

from engine.actions.action import ActionContext
from engine.actions.email_send import email_send
from engine.actions.perform import perform, prepare
from engine.actions.secrets import Secrets
from engine.errors import Category, StepFailed
from tests.integration.actions.servers import SmtpServer, smtp_server, unused_port

CONTEXT = ActionContext(
    run_id="r", idempotency_key="key-1", now=datetime(2026, 6, 9, 12, tzinfo=UTC), timeout_s=5
)


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with smtp_server() as running:
        yield running


def send(
    url: str | None, *, context: ActionContext = CONTEXT, repeat: bool = True, **f: Any
) -> Any:
    action = email_send(url, "Studio <studio@msp.example>")
    fields = {"to": ["a@x.example"], "subject": "Disk is full", **f}
    secrets = Secrets({}).opened()
    return perform(action, prepare(action, fields, secrets), context, secrets, may_repeat=repeat)


def failure(url: str | None, **kwargs: Any) -> StepFailed:
    with pytest.raises(StepFailed) as failed:
        send(url, **kwargs)
    return failed.value


def received(server: SmtpServer) -> EmailMessage:
    [mail] = server.mails
    return cast(EmailMessage, message_from_bytes(mail.data, policy=default))


def test_a_message_arrives_with_both_forms_of_its_text(server: SmtpServer) -> None:
    output = send(
        server.url(),
        to=["a@x.example", "b@x.example"],
        cc=["c@x.example"],
        replyTo="desk@msp.example",
        subject="Größe 🙂",
        text="plain ü\n.dot",
        html="<p>rich</p>",
    )
    message = received(server)
    assert server.mails[0].recipients == [
        "TO:<a@x.example>", "TO:<b@x.example>", "TO:<c@x.example>",
    ]  # fmt: skip
    assert server.mails[0].sender.startswith("FROM:<studio@msp.example>")
    assert message["Subject"] == "Größe 🙂"
    assert message["To"] == "a@x.example, b@x.example"
    assert message["Cc"] == "c@x.example"
    assert message["Reply-To"] == "desk@msp.example"
    assert message["Message-ID"] == output["messageId"]
    assert message.get_body(("plain",)).get_content().replace("\r", "").startswith("plain ü\n")  # type: ignore[union-attr]
    assert "rich" in message.get_body(("html",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({"text": "t"}, "text/plain"), ({"html": "h"}, "text/html"), ({}, "text/plain")],
)
def test_one_form_is_enough(server: SmtpServer, fields: dict[str, str], kind: str) -> None:
    send(server.url(), **fields)
    assert received(server).get_content_type() == kind


def test_the_same_call_has_the_same_message_id(server: SmtpServer) -> None:
    other = dataclasses.replace(CONTEXT, idempotency_key="key-2")
    ids = [send(server.url(), context=c)["messageId"] for c in (CONTEXT, CONTEXT, other)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@msp.example>")


def test_the_urls_user_signs_in(server: SmtpServer) -> None:
    send(server.url("us%40er:p%3Ass@"))
    assert len(server.logins) == 1


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"to": []}, "/to"),
        ({"to": "a@x.example"}, "/to"),
        ({"to": ["no address"]}, "/to/0"),
        ({"to": ["a@x.example\r\nBcc: b@x.example"]}, "/to/0"),
        ({"cc": ["@"]}, "/cc/0"),
        ({"replyTo": "x"}, "/replyTo"),
        ({"subject": "a\r\nBcc: b@x.example"}, "/subject"),
        ({"bcc": ["a@x.example"]}, "/bcc"),
    ],
    ids=str,
)
def test_a_wrong_input_is_a_validation_error(fields: dict[str, Any], pointer: str) -> None:
    failed = failure(None, **fields)
    assert failed.category is Category.VALIDATION
    assert pointer in [problem["pointer"] for problem in failed.details["problems"]]


def test_without_a_server_it_is_an_action_error() -> None:
    failed = failure(None)
    assert (failed.category, failed.code) == (Category.ACTION, "SMTP_NOT_CONFIGURED")


def test_a_url_of_another_form_is_refused_at_start() -> None:
    for url in ("http://mail", "smtp://", "mail.example"):
        with pytest.raises(ValueError, match="SMTP_URL"):
            email_send(url, "a@x.example")


def test_nobody_there_is_transient() -> None:
    failed = failure(f"smtp://127.0.0.1:{unused_port()}", repeat=False)
    assert (failed.category, failed.code) == (Category.TRANSIENT, "NO_CONNECTION")


@pytest.mark.parametrize(
    ("at", "answer", "category"),
    [
        ("MAIL", "451 later", Category.TRANSIENT),
        ("MAIL", "550 no", Category.ACTION),
        ("RCPT", "450 busy", Category.TRANSIENT),
        ("RCPT", "550 unknown", Category.ACTION),
        ("DATA", "452 full", Category.TRANSIENT),
        ("DATA", "554 spam", Category.ACTION),
    ],
)
def test_what_the_server_says_decides_the_category(
    server: SmtpServer, at: str, answer: str, category: Category
) -> None:
    server.answers[at] = answer
    failed = failure(server.url(), repeat=False)
    assert failed.category is category
    assert failed.code == f"SMTP_{answer[:3]}"
    assert failed.details == {"status": int(answer[:3])}


def test_a_refused_sign_in_is_an_action_error_without_the_password(server: SmtpServer) -> None:
    server.answers["AUTH"] = "535 wrong"
    failed = failure(server.url("me:hunter2@"))
    assert (failed.category, failed.code) == (Category.ACTION, "SMTP_535")
    assert "hunter2" not in str(failed.as_data())


def test_some_refused_recipients_are_logged_and_the_others_served(server: SmtpServer) -> None:
    server.answers["RCPT TO:<b@x.example>"] = "550 unknown"
    lines: list[Any] = []
    context = dataclasses.replace(CONTEXT, log=lambda *line: lines.append(line))
    send(server.url(), to=["a@x.example", "b@x.example"], context=context)
    assert len(server.mails) == 1
    [(level, _, details)] = lines
    assert (level, details) == ("WARN", {"refused": ["b@x.example"]})


def test_a_lost_answer_after_the_data_is_unknown_without_consent(server: SmtpServer) -> None:
    server.hangs_up_at = "AFTER DATA"
    assert failure(server.url()).category is Category.TRANSIENT
    assert failure(server.url(), repeat=False).category is Category.OUTCOME_UNKNOWN


def test_email_is_neither_repeatable_nor_local() -> None:
    action = email_send(None, "a@x.example")
    assert action.repeatable is False
    assert not action.spec.local
