"""Delivery: the only module that touches Flask-Mail.

Flask-Mail 0.10 accepts a STARTTLS certificate of another host, has no time-out, lets headers be injected, and
knows no `text/calendar; method=…` inside multipart/alternative; the subclasses below mend that.
"""

import logging
import smtplib
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from flask import current_app
from flask_mail import Connection, Mail
from flask_mail import Message as FlaskMailMessage
from sqlalchemy.exc import DBAPIError

from booking.core.clock import now
from booking.core.settings import Settings
from booking.core.text import one_line
from booking.notifications import actions
from booking.notifications.models import Message
from booking.notifications.outbox import sender_address
from booking.notifications.verdict import Drop, Hold, Verdict

TIME_OUT_SECONDS = 20
LONGEST_LINE, LONGEST_WORD = 76, 60
# After so many lines cut off in one batch the server is left alone for a while.
MOST_CUT_OFFS = 3
RECORD_AGAIN_AFTER_SECONDS = (0.5, 1, 2, 4, 8, 16, 32)
StillWanted = Callable[[Message], Verdict]
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


class Policy(EmailPolicy):
    """How headers are written: a subject so that every reader gets it back, space by space.

    The standard library loses and doubles spaces where it folds between encoded words (RFC 2047, 6.2).
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Keep a subject as it is: what looks like an encoded word in it is meant."""
        return (name, value) if name == "Subject" else super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Fold a subject at its spaces where all of it is plain, else as encoded words alone."""
        if name != "Subject":
            return super().fold_binary(name, value)
        plain = value.isascii() and "=?" not in value and all(len(word) <= LONGEST_WORD for word in value.split())
        header = Header(value, "us-ascii" if plain else "utf-8", maxlinelen=LONGEST_LINE, header_name=name)
        return f"{name}: {header.encode(linesep=self.linesep)}{self.linesep}".encode("ascii")


AS_SENT = Policy(linesep="\r\n")


def build(message: Message) -> EmailMessage:
    """Return the e-mail of an outbox row: text, HTML, and the calendar part last inside the alternative (RFC 6047)."""
    mail = EmailMessage(policy=AS_SENT)
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
    """An outbox row as Flask-Mail sends it: its parts and headers are ours. Raises where it cannot be written."""

    def __init__(self, message: Message) -> None:
        super().__init__(recipients=[message.to_email], sender=sender_address(), subject=one_line(message.subject))
        self.address = message.to_email
        self.finished = build(message).as_bytes()

    def as_bytes(self) -> bytes:
        """Return the finished e-mail."""
        return self.finished

    def as_string(self) -> str:
        """Return the finished e-mail as text: it is ASCII."""
        return self.finished.decode("ascii")


class OutboxConnection(Connection):
    """One connection for a batch: with a time-out, and a certificate that is checked."""

    host: smtplib.SMTP

    def configure_host(self) -> smtplib.SMTP:
        """Connect, greet, encrypt and log in."""
        settings = current_settings()
        if not settings.mail_server:
            raise Temporary("MAIL_SERVER is not set: no mail leaves")
        host = smtplib.SMTP(settings.mail_server, settings.mail_port, timeout=TIME_OUT_SECONDS)
        try:
            host.ehlo_or_helo_if_needed()
            if settings.mail_use_tls:
                host.starttls(context=ssl.create_default_context())
            if settings.mail_username:
                host.login(settings.mail_username, settings.mail_password)
        except BaseException:
            host.close()
            raise
        return host

    def deliver(self, mail: OutboxMail) -> None:
        """Send one mail. Raises Temporary or Permanent."""
        try:
            self.host.sendmail(sender_address(), [mail.address], mail.as_bytes())
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


def deliver_due(
    *, worker: str, limit: int, still_wanted: StillWanted, stopping: Callable[[], bool] = lambda: False
) -> Delivered:
    """Send what is due, at most so many; say what became of it. Any number of workers may run at once.

    `still_wanted` says whether a message goes, not any more, or not yet. Where `stopping` says yes, what
    has not been tried goes back to the queue. In the demo nothing leaves.
    """
    left = deque(actions.claim(worker=worker, limit=limit))
    done, lines = Delivered(), 0
    try:
        while left and lines < MOST_CUT_OFFS and not stopping():
            lines += 1
            with _connection() as connection:
                usable = True
                while left and usable and not stopping():
                    usable = _deliver_one(left.popleft(), connection, worker, still_wanted, done)
    except Temporary as away:
        done.postponed += sum(actions.postpone(message, worker=worker, reason=str(away)) for message in left)
        return done
    # What the server did not even hear of has not been tried: it must not wait longer for another's fault.
    wait = actions.WAITS[0] if lines == MOST_CUT_OFFS and not stopping() else timedelta()
    done.postponed += sum(actions.give_back(message, worker=worker, wait=wait) for message in left)
    return done


def _deliver_one(
    message: Message, connection: OutboxConnection | None, worker: str, still_wanted: StillWanted, done: Delivered
) -> bool:
    """Deliver one message and record it. Returns whether the connection is of any more use."""
    if not actions.renew_claim(message, worker=worker):
        return True  # its lease ran out, and somebody else has it
    try:
        late = message.useless_after is not None and message.useless_after <= now()
        verdict = Drop("it would come too late") if late else still_wanted(message)
        if isinstance(verdict, Drop):
            actions.drop(message, worker=worker, reason=verdict.reason)
            done.dropped += 1
            return True
        if isinstance(verdict, Hold):
            actions.hold(message, worker=worker, reason=verdict.reason)
            done.postponed += 1
            return True
        mail = OutboxMail(message)
        if connection is not None:
            connection.deliver(mail)
    except DBAPIError:
        raise  # nothing can be recorded: the lease brings the message back
    except Permanent as refused:
        actions.fail(message, worker=worker, reason=str(refused))
        done.failed += 1
        return _is_usable(connection)
    except Temporary as later:
        actions.postpone(message, worker=worker, reason=str(later))
        done.postponed += 1
        return _is_usable(connection)
    except Exception as error:  # one that cannot be written must not hold up those behind it
        log.exception("message %s cannot be written", message.id)
        actions.postpone(message, worker=worker, reason=_words(error))
        done.postponed += 1
        return _is_usable(connection)
    _record_sent(message, worker)
    done.sent += 1
    log.info("sent message %s", message.id)
    return True


def _record_sent(message: Message, worker: str) -> None:
    """Record that the server took it; while the database is away try again, or it would go a second time."""
    number = message.id  # read now: a row that was rolled back is read anew
    for seconds in RECORD_AGAIN_AFTER_SECONDS:
        try:
            _mark_sent(message, worker)
        except DBAPIError:
            log.warning("message %s was sent, but the database is away", number)
            time.sleep(seconds)
        else:
            return
    _mark_sent(message, worker)


def _mark_sent(message: Message, worker: str) -> None:
    """Record it; what a sign-in mail said is not kept, but in the demonstration's mailbox."""
    actions.mark_sent(message, worker=worker, forget=message.kind == "sign_in" and not current_settings().demo)


def _is_usable(connection: OutboxConnection | None) -> bool:
    """Tell whether the server still listens on this connection, after it refused something."""
    if connection is None:
        return True
    try:
        code, _ = connection.host.rset()
    except (smtplib.SMTPException, OSError):
        return False
    return code == 250


@contextmanager
def _connection() -> Iterator[OutboxConnection | None]:
    """Give one connection for a batch; None in the demo. Raises Temporary where the server is away."""
    if current_settings().demo:
        yield None
        return
    connection = OutboxConnection(Mail(current_app))
    try:
        connection.host = connection.configure_host()
    except (smtplib.SMTPException, OSError, ValueError) as error:  # a name or password that cannot be encoded
        raise Temporary(_words(error)) from None
    try:
        yield connection
    finally:
        try:
            connection.host.quit()
        except (smtplib.SMTPException, OSError):
            connection.host.close()


def check_server() -> str | None:
    """Connect, greet, encrypt and log in, and go away again. Returns what is wrong, or None."""
    try:
        with _connection():
            return None
    except Temporary as away:
        return str(away)
