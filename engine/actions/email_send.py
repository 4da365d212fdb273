"""`email.send`: one message through the installation's SMTP server. Not repeatable."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from engine.actions.action import Action, ActionContext, AnswerLost
from engine.errors import Category, StepFailed
from engine.interpreter.transforms.fields import Fields, Result

_SCHEMES: Final = {"smtp": 25, "smtps": 465}


def _address(value: str) -> str:
    try:
        Address(addr_spec=value)
    except (HeaderParseError, ValueError, IndexError):
        raise PydanticCustomError("email", "Input should be an email address") from None
    if "@" not in value or not value.isprintable():
        raise PydanticCustomError("email", "Input should be an email address")
    return value


def _one_line(value: str) -> str:
    if any(sign in value for sign in "\r\n\0"):
        raise PydanticCustomError("line", "Input should be one line")
    return value


Recipient = Annotated[str, Field(max_length=320), AfterValidator(_address)]


class Email(Fields):
    to: Annotated[list[Recipient], Field(min_length=1, max_length=100)]
    subject: Annotated[str, Field(max_length=998), AfterValidator(_one_line)]
    text: str | None = None
    html: str | None = None
    cc: Annotated[list[Recipient], Field(max_length=100)] = Field(default_factory=list)
    reply_to: Recipient | None = None


class Sent(Result):
    message_id: str


@dataclass(frozen=True, slots=True)
class SmtpServer:
    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> SmtpServer:
        """smtp://[user:password@]host[:port], smtps:// for TLS from the start."""
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ValueError("SMTP_URL must be smtp://host or smtps://host")
        return cls(
            parts.hostname,
            parts.port or _SCHEMES[parts.scheme],
            parts.scheme == "smtps",
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


def email_send(smtp_url: str | None, sender: str) -> Action:
    """Raises ValueError for a URL of another form."""
    server = SmtpServer.of(smtp_url) if smtp_url else None

    def run(input: Email, context: ActionContext) -> Sent:
        if server is None:
            raise StepFailed(
                Category.ACTION,
                "No mail server is configured: set SMTP_URL.",
                code="SMTP_NOT_CONFIGURED",
            )
        context.raise_if_cancelled()
        message = _message(input, sender, context)
        _Delivery(server, context).send(message, sender, [*input.to, *input.cc])
        return Sent(message_id=str(message["Message-ID"]))

    return Action(
        id="email.send",
        version=1,
        Input=Email,
        Output=Sent,
        run=run,
        summary="Send an email.",
    )


def _message(input: Email, sender: str, context: ActionContext) -> EmailMessage:
    """Its id comes from the idempotency key: the same message has the same id."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(input.to)
    if input.cc:
        message["Cc"] = ", ".join(input.cc)
    if input.reply_to:
        message["Reply-To"] = input.reply_to
    message["Subject"] = input.subject
    message["Date"] = format_datetime(context.now)
    digest = hashlib.sha256(context.idempotency_key.encode()).hexdigest()[:40]
    domain = sender.rpartition("@")[2].strip("> ") or "localhost"
    message["Message-ID"] = f"<{digest}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if input.html is None:
        message.set_content(input.text or "")
    elif input.text is None:
        message.set_content(input.html, subtype="html")
    else:
        message.set_content(input.text)
        message.add_alternative(input.html, subtype="html")
    return message


class _Delivery:
    """One message to one server, and what its refusals mean."""

    def __init__(self, server: SmtpServer, context: ActionContext) -> None:
        self._server = server
        self._context = context

    def send(self, message: EmailMessage, sender: str, recipients: list[str]) -> None:
        """Raises TransientError (nobody there, 4xx), ActionError (5xx), `AnswerLost`."""
        connection = self._connected()
        try:
            refused = connection.send_message(message, sender, recipients)
        except smtplib.SMTPException as error:
            raise _failure(error) from None
        except OSError as error:
            raise AnswerLost(f"The mail server was lost: {error}.") from error
        finally:
            _leave(connection)
        if refused:
            self._context.log(
                "WARN",
                "The mail server refused some recipients; the others get the message.",
                {"refused": sorted(refused)},
            )

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        timeout = max(1.0, min(30.0, self._context.timeout_s))
        try:
            connection = _connect(server, timeout)
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except smtplib.SMTPAuthenticationError as error:
            raise _failure(error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise StepFailed(
                Category.TRANSIENT,
                f"No connection to the mail server {server.host}:{server.port}: "
                f"{type(error).__name__}.",
                code="NO_CONNECTION",
            ) from error
        return connection


def _connect(server: SmtpServer, timeout: float) -> smtplib.SMTP:
    """TLS from the start with smtps; else wherever the server offers it."""
    tls = ssl.create_default_context()
    if server.tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=tls)
    connection = smtplib.SMTP(server.host, server.port, timeout=timeout)
    connection.ehlo()
    if connection.has_extn("starttls"):
        connection.starttls(context=tls)
        connection.ehlo()
    return connection


def _leave(connection: smtplib.SMTP) -> None:
    """Say good-bye; the outcome is known whatever happens now."""
    try:
        connection.quit()
    except (smtplib.SMTPException, OSError):
        connection.close()


def _failure(error: smtplib.SMTPException) -> StepFailed:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return AnswerLost("The mail server closed the connection.")
    code = _code(error)
    return StepFailed(
        Category.TRANSIENT if 400 <= code < 500 else Category.ACTION,
        f"The mail server refused: {code}." if code else "The mail server refused.",
        code=f"SMTP_{code}" if code else "SMTP_REFUSED",
        details={"status": code} if code else {},
    )


def _code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return int(max(codes, default=0))
    return int(getattr(error, "smtp_code", 0) or 0)
