"""Delivery: the only module that touches Flask-Mail.

Flask-Mail 0.10 accepts a STARTTLS certificate of another host, has no time-out, lets headers be injected, and
knows no `text/calendar; method=…` inside multipart/alternative; the subclasses below mend that.
"""

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from flask import current_app
from flask_mail import Connection, Mail
from flask_mail import Message as FlaskMailMessage

from booking.core.settings import Settings
from booking.core.text import one_line
from booking.notifications import actions
from booking.notifications.models import Message
from booking.notifications.outbox import sender_address

TIME_OUT_SECONDS = 20
StillWanted = Callable[[Message], str | None]
log = logging.getLogger(__name__)


class Temporary(Exception):
    """The mail could not go now; it may later."""


class Permanent(Exception):
    """The server will never take this mail: its own words."""


@dataclass(slots=True)
class Delivered:
    """What a round of delivery came to."""

    sent: int = 0
    dropped: int = 0
    postponed: int = 0
    failed: int = 0

    @property
    def touched(self) -> int:
        """How many messages there were."""
        return self.sent + self.dropped + self.postponed + self.failed


def build(message: Message) -> EmailMessage:
    """Return the e-mail of an outbox row: text, HTML, and the calendar part last inside the alternative (RFC 6047)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = str(Address(one_line(message.from_name), addr_spec=sender_address()))
    mail["To"] = str(Address(one_line(message.to_name), addr_spec=message.to_email))
    if message.reply_to:
        mail["Reply-To"] = message.reply_to
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = message.message_id
    if message.automatic:
        mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="base64")
    mail.add_alternative(message.html, subtype="html", cte="base64")
    if message.calendar:
        # Base64 for all: quoted-printable of the standard library may write lines of 77 characters.
        mail.add_alternative(
            message.calendar, subtype="calendar", cte="base64", params={"method": message.calendar_method or "REQUEST"}
        )
    return mail


class OutboxMail(FlaskMailMessage):
    """An outbox row as Flask-Mail sends it: its parts and headers are ours."""

    def __init__(self, message: Message) -> None:
        super().__init__(recipients=[message.to_email], sender=sender_address(), subject=one_line(message.subject))
        self.row = message

    def as_bytes(self) -> bytes:
        """Return the finished e-mail."""
        return build(self.row).as_bytes()

    def as_string(self) -> str:
        """Return the finished e-mail as text: it is ASCII."""
        return self.as_bytes().decode("ascii")


class OutboxConnection(Connection):
    """One connection for a batch: with a time-out, and a certificate that is checked."""

    host: smtplib.SMTP

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt and log in."""
        settings = current_settings()
        host = smtplib.SMTP(settings.mail_server, settings.mail_port, timeout=TIME_OUT_SECONDS)
        if settings.mail_use_tls:
            host.starttls(context=ssl.create_default_context())
        if settings.mail_username:
            host.login(settings.mail_username, settings.mail_password)
        return host

    def deliver(self, mail: OutboxMail) -> None:
        """Send one mail. Raises Temporary or Permanent."""
        try:
            self.host.sendmail(sender_address(), [mail.row.to_email], mail.as_bytes())
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            raise _refusal(code, words) from None
        except smtplib.SMTPDataError as refused:
            raise _refusal(refused.smtp_code, refused.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Temporary(_words(error)) from None


def _refusal(code: int, words: bytes | str) -> Exception:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    sentence = one_line(f"{code} {text}")[:280]
    return Permanent(sentence) if 500 <= code < 600 else Temporary(sentence)


def _words(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")[:280]


def current_settings() -> Settings:
    """Return the settings of the application."""
    settings: Settings = current_app.extensions["settings"]
    return settings


def deliver_due(*, worker: str, limit: int, still_wanted: StillWanted) -> Delivered:
    """Send what is due, at most so many; say what became of it. Any number of workers may run at once.

    `still_wanted` gives the reason why a message should not go any more, or None. In the demo nothing leaves.
    """
    claimed = actions.claim(worker=worker, limit=limit)
    done = Delivered()
    if not claimed:
        return done
    try:
        with _connection() as connection:
            for position, message in enumerate(claimed):
                if not _deliver_one(message, connection, worker, still_wanted, done):
                    _postpone(claimed[position + 1 :], worker, "the mail server went away", done)
                    break
    except Temporary as away:
        _postpone(claimed, worker, str(away), done)
    return done


def _deliver_one(
    message: Message, connection: OutboxConnection | None, worker: str, still_wanted: StillWanted, done: Delivered
) -> bool:
    """Deliver one message and record it. Returns whether the connection is of any more use."""
    if not actions.renew_claim(message, worker=worker):
        return True  # its lease ran out, and somebody else has it
    reason = still_wanted(message)
    if reason:
        actions.drop(message, worker=worker, reason=reason)
        done.dropped += 1
        return True
    try:
        if connection is not None:
            connection.deliver(OutboxMail(message))
    except Permanent as refused:
        actions.fail(message, worker=worker, reason=str(refused))
        done.failed += 1
        return _is_usable(connection)
    except Temporary as later:
        actions.postpone(message, worker=worker, reason=str(later))
        done.postponed += 1
        return _is_usable(connection)
    actions.mark_sent(message, worker=worker)
    done.sent += 1
    log.info("sent message %s", message.id)
    return True


def _is_usable(connection: OutboxConnection | None) -> bool:
    """Tell whether the server still listens on this connection, after it refused something."""
    if connection is None:
        return True
    try:
        code, _ = connection.host.rset()
    except (smtplib.SMTPException, OSError):
        return False
    return code == 250


def _postpone(messages: list[Message], worker: str, reason: str, done: Delivered) -> None:
    for message in messages:
        if actions.postpone(message, worker=worker, reason=reason):
            done.postponed += 1


@contextmanager
def _connection() -> Iterator[OutboxConnection | None]:
    """Give one connection for a batch; None in the demo. Raises Temporary where the server is away."""
    if current_settings().demo:
        yield None
        return
    connection = OutboxConnection(Mail(current_app))
    try:
        connection.host = connection.configure_host()
    except (smtplib.SMTPException, OSError) as error:
        raise Temporary(_words(error)) from None
    try:
        yield connection
    finally:
        try:
            connection.host.quit()
        except (smtplib.SMTPException, OSError):
            connection.host.close()


def check_server() -> str | None:
    """Connect, encrypt and log in, and go away again. Returns what is wrong, or None."""
    if not current_settings().mail_server:
        return "MAIL_SERVER is not set: no mail leaves"
    try:
        with _connection() as connection:
            assert connection is not None
            connection.host.noop()
    except Temporary as away:
        return str(away)
    return None
