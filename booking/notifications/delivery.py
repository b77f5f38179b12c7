"""Delivery: the only module that touches Flask-Mail.

Flask-Mail 0.10 accepts a STARTTLS certificate of another host, has no time-out, lets headers be injected, and
knows no `text/calendar; method=…` inside multipart/alternative; the subclasses below mend that.
"""

import logging
import re
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
from functools import lru_cache
from typing import Any

from flask import current_app
from flask_mail import Connection, Mail
from flask_mail import Message as FlaskMailMessage
from sqlalchemy.exc import DBAPIError

from booking.core.clock import now
from booking.core.db import db
from booking.core.settings import Settings
from booking.core.text import one_line
from booking.notifications import actions, queries
from booking.notifications.models import Message
from booking.notifications.outbox import sender_address
from booking.notifications.verdict import Drop, Hold, Verdict

TIME_OUT_SECONDS = 20
LONGEST_LINE, LONGEST_WORD = 76, 60
# After so many lines cut off in one batch the server is left alone for a while.
MOST_CUT_OFFS = 3
RENEW_AFTER_SECONDS = 10
# The enhanced status of a refusal, `5.1.1` or at its end `(#5.1.1)`: its subject and detail. The details of an address
# (RFC 3463, 3.2) that are not the recipient's are the sender's; 5.1.90 is a limit of ours; 5.2.1 is a disabled mailbox.
_ENHANCED = re.compile(r"(?:^|\(#)5\.([0-9]{1,3}\.[0-9]{1,3})\b")
_OF_THE_ADDRESS = re.compile(r"1\.(?!(?:7|8|90)$)[0-9]+|2\.1")
RECORD_AGAIN_AFTER_SECONDS = (0.5, 1, 2, 4, 8, 16, 32)
StillWanted = Callable[[Message], Verdict]
log = logging.getLogger(__name__)


class Temporary(Exception):
    """The mail could not go now; it may later."""


class Permanent(Exception):
    """The server will never take this mail: its own words, and whether the address is at fault."""

    def __init__(self, sentence: str, *, of_the_address: bool = False) -> None:
        super().__init__(sentence)
        self.of_the_address = of_the_address


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

    The standard library loses and doubles spaces where it folds between encoded words (RFC 2047, 6.2). What we write
    ourselves is not taken apart only to be put together again: that took most of the time of building a mail.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Keep what we wrote as it is: what looks like an encoded word in a subject is meant."""
        return (name, value) if name in _OURS else super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Write a short plain line as it is; fold a subject at its spaces, or as encoded words alone.

        A link to unsubscribe stays whole, on a line of its own: mail clients read no encoded words there.
        """
        if name in _OURS - {"Subject"}:
            if value.isascii() and len(name) + len(value) + 2 <= LONGEST_LINE:
                return f"{name}: {value}{self.linesep}".encode("ascii")
            if name == "List-Unsubscribe" and value.isascii():
                return f"{name}:{self.linesep} {value}{self.linesep}".encode("ascii")
            value = self.header_factory(name, value)
        if name != "Subject":
            return super().fold_binary(name, value)
        plain = value.isascii() and "=?" not in value and all(len(word) <= LONGEST_WORD for word in value.split())
        header = Header(value, "us-ascii" if plain else "utf-8", maxlinelen=LONGEST_LINE, header_name=name)
        return f"{name}: {header.encode(linesep=self.linesep)}{self.linesep}".encode("ascii")


_OURS = frozenset({"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted"})
_OURS |= {"List-Unsubscribe", "List-Unsubscribe-Post"}
AS_SENT = Policy(linesep="\r\n")


@lru_cache(maxsize=1_000)
def _address(name: str, address: str) -> str:
    """Return a name with its address, quoted as needed. Raises what is wrong with an address that cannot be."""
    return str(Address(one_line(name), addr_spec=address))


def build(message: Message) -> EmailMessage:
    """Return the e-mail of an outbox row: text, HTML, and the calendar part last inside the alternative (RFC 6047)."""
    mail = EmailMessage(policy=AS_SENT)
    mail["From"] = _address(message.from_name, sender_address())
    mail["To"] = _address(message.to_name, message.to_email)
    if message.reply_to:
        mail["Reply-To"] = one_line(message.reply_to)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = message.message_id
    if message.automatic:
        mail["Auto-Submitted"] = "auto-generated"
    if message.unsubscribe:
        mail["List-Unsubscribe"] = f"<{one_line(message.unsubscribe).replace(' ', '')}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if message.list_id:
        mail["List-Id"] = f"<{one_line(message.list_id)}>"
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
            raise _refusal(code, words, recipient=True) from None
        except smtplib.SMTPDataError as refused:
            raise _refusal(refused.smtp_code, refused.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Temporary(_words(error)) from None


def _refusal(code: int, words: bytes | str, *, recipient: bool = False) -> Exception:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    sentence = one_line(f"{code} {text}")[:280]
    if not 500 <= code < 600:
        return Temporary(sentence)
    return Permanent(sentence, of_the_address=recipient and _is_of_the_address(code, text))


def _is_of_the_address(code: int, text: str) -> bool:
    """Tell whether a refusal means that nobody is there (RFC 3463, 3.2), and not that we are not welcome."""
    enhanced = _ENHANCED.search(text.strip())
    return bool(_OF_THE_ADDRESS.fullmatch(enhanced[1])) if enhanced else code in {550, 551, 553}


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
    batch = _Batch(worker, still_wanted, deque(actions.claim(worker=worker, limit=limit, per_minute=_per_minute())))
    left, done, lines = batch.left, batch.done, 0
    try:
        while left and lines < MOST_CUT_OFFS and not stopping():
            lines += 1
            with _connection() as connection:
                usable = True
                while left and usable and not stopping():
                    usable = batch.deliver_next(connection)
    except Temporary as away:
        done.postponed += sum(actions.postpone(message, worker=worker, reason=str(away)) for message in left)
        return done
    # What the server did not even hear of has not been tried: it must not wait longer for another's fault.
    wait = actions.WAITS[0] if lines == MOST_CUT_OFFS and not stopping() else timedelta()
    done.postponed += sum(actions.give_back(message, worker=worker, wait=wait) for message in left)
    return done


def _per_minute() -> int:
    settings = current_settings()
    return 0 if settings.demo else settings.mail_per_minute


class _Batch:
    """What one worker has claimed, and what became of it."""

    def __init__(self, worker: str, still_wanted: StillWanted, left: deque[Message]) -> None:
        self.worker, self.still_wanted, self.left = worker, still_wanted, left
        self.done = Delivered()
        self.renewed = time.monotonic()
        self.aside = queries.put_aside([message.to_email for message in left]) if left else {}
        db.session.rollback()

    def deliver_next(self, connection: OutboxConnection | None) -> bool:
        """Deliver one message and record it. Returns whether the connection is of any more use."""
        if time.monotonic() - self.renewed > RENEW_AFTER_SECONDS:
            self._renew()
            if not self.left:
                return True
        message = self.left.popleft()
        worker, done = self.worker, self.done
        try:
            if self._is_out_of_the_way(message):
                return True
            mail = OutboxMail(message)
            if connection is not None:
                connection.deliver(mail)
        except DBAPIError:
            raise  # nothing can be recorded: the lease brings the message back
        except Permanent as refused:
            actions.fail(message, worker=worker, reason=str(refused), put_aside=refused.of_the_address)
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
        _record_sent(message, worker, was_aside=message.to_email in self.aside)
        done.sent += 1
        log.info("sent message %s", message.id)
        return True

    def _renew(self) -> None:
        """Lengthen the lease of all that is left; what is not ours any more is somebody else's work."""
        ours = actions.renew_claims(self.left, worker=self.worker)
        self.renewed = time.monotonic()
        for message in [one for one in self.left if one.id not in ours]:
            self.left.remove(message)

    def _is_out_of_the_way(self, message: Message) -> bool:
        """Record what does not go any more, not yet, or to an address where nobody is. Returns whether that is so."""
        worker, done = self.worker, self.done
        late = message.useless_after is not None and message.useless_after <= now()
        verdict = Drop("it would come too late") if late else self.still_wanted(message)
        aside = self.aside.get(message.to_email)
        if isinstance(verdict, Drop):
            actions.drop(message, worker=worker, reason=verdict.reason)
            done.dropped += 1
        elif isinstance(verdict, Hold):
            actions.hold(message, worker=worker, reason=verdict.reason)
            done.postponed += 1
        elif aside is not None and message.kind != "sign_in":  # somebody waits for a code, and may be there again
            actions.leave_aside(message, worker=worker, aside=aside)
            done.failed += 1
        else:
            return False
        return True


def _record_sent(message: Message, worker: str, *, was_aside: bool) -> None:
    """Record that the server took it; while the database is away try again, or it would go a second time.

    What a sign-in mail said is not kept, but in the demonstration's mailbox.
    """
    forget = message.kind == "sign_in" and not current_settings().demo
    for seconds in RECORD_AGAIN_AFTER_SECONDS:
        try:
            actions.mark_sent(message, worker=worker, forget=forget, was_aside=was_aside)
        except DBAPIError:
            log.warning("message %s was sent, but the database is away", message.id)
            time.sleep(seconds)
        else:
            return
    actions.mark_sent(message, worker=worker, forget=forget, was_aside=was_aside)


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
