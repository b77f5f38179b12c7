"""Delivery: the only module that touches Flask-Mail.

Flask-Mail 0.10 accepts a STARTTLS certificate of another host, has no time-out, lets headers be injected, and
knows no `text/calendar; method=…` inside multipart/alternative: the subclass below mends the line, `mime` writes mails.
"""

import logging
import re
import smtplib
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Timer
from typing import Any

from flask import current_app
from flask_mail import Connection, Mail
from sqlalchemy.exc import DBAPIError

from booking.core.clock import now
from booking.core.db import Run, db, statements
from booking.core.settings import Settings
from booking.core.text import one_line
from booking.notifications import actions, mime, queries
from booking.notifications.models import Message
from booking.notifications.outbox import sender_address
from booking.notifications.verdict import Drop, Hold, Verdict

# For each wait for the server, and for all that is said about one mail, or until one is logged in: a server may send a
# byte now and then for ever. Both are well below the lease.
TIME_OUT_SECONDS = 20
CONVERSATION_SECONDS = 60
# After so many lines cut off in one batch the server is left alone for a while.
MOST_CUT_OFFS = 3
# A batch ends then, also where some of it is left: what is urgent waits no longer for a slow server, and no lease ends.
BATCH_SECONDS = 10
# The enhanced status of a refusal, `5.1.1` or at its end `(#5.1.1)`: its subject and detail. The details of an address
# (RFC 3463, 3.2) that are not the recipient's are the sender's; 5.1.90 is a limit of ours; 5.2.1 is a disabled mailbox.
_ENHANCED = re.compile(r"(?:^|\(#)5\.([0-9]{1,3}\.[0-9]{1,3})\b")
_OF_THE_ADDRESS = re.compile(r"1\.(?!(?:7|8|90)$)[0-9]+|2\.1")
# Servers without enhanced statuses say 550 for spam, relaying and a sender they do not like too.
_SAYS_NOBODY = re.compile(
    r"no such|unknown|unrout|no (?:mailbox|user)|not? (?:found|exist)|n['’]t exist|mailbox unavailable|disabled"
    r"|invalid (?:user|mailbox|address|recipient)",
    re.IGNORECASE,
)
_SPEAKS_OF_US = re.compile(r"sender|relay|spam|policy", re.IGNORECASE)
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


class _Line(smtplib.SMTP):
    """A line to the server that can be cut while something is being said."""

    @contextmanager
    def cut_in_time(self) -> Iterator[None]:
        """Cut the line if what happens here takes too long: who reads from it is told that it was closed."""
        timer = Timer(CONVERSATION_SECONDS, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def connect(self, *where: Any, **how: Any) -> tuple[int, bytes]:
        """Connect, and read the greeting."""
        with self.cut_in_time():
            return super().connect(*where, **how)

    def _cut(self) -> None:
        log.warning("the mail server took longer than %s seconds: its line is cut", CONVERSATION_SECONDS)
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class OutboxConnection(Connection):
    """One connection for a batch: with a time-out, and a certificate that is checked."""

    host: _Line

    def configure_host(self) -> _Line:
        """Connect, greet, encrypt and log in."""
        settings = current_settings()
        if not settings.mail_server:
            raise Temporary("MAIL_SERVER is not set: no mail leaves")
        host = _Line(settings.mail_server, settings.mail_port, timeout=TIME_OUT_SECONDS)
        try:
            with host.cut_in_time():
                host.ehlo_or_helo_if_needed()
                if settings.mail_use_tls:
                    host.starttls(context=ssl.create_default_context())
                if settings.mail_username:
                    host.login(settings.mail_username, settings.mail_password)
        except BaseException:
            host.close()
            raise
        return host

    def deliver(self, raw: bytes, *, sender: str, to: str) -> None:
        """Send one finished mail. Raises Temporary or Permanent."""
        try:
            with self.host.cut_in_time():
                self.host.sendmail(sender, [to], raw)
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
    if enhanced:
        return bool(_OF_THE_ADDRESS.fullmatch(enhanced[1]))
    says_so = _SAYS_NOBODY.search(text) is not None and not _SPEAKS_OF_US.search(text)
    return code == 551 or (code in {550, 553} and says_so)


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
    claimed = actions.claim(worker=worker, limit=limit, per_minute=_per_minute())
    if not claimed:
        return Delivered()
    with statements() as run:
        batch = _Batch(worker, still_wanted, deque(claimed), run)
        batch.deliver(stopping)
    return batch.done


def _per_minute() -> int:
    settings = current_settings()
    return 0 if settings.demo else settings.mail_per_minute


class _Batch:
    """What one worker has claimed, and what became of it."""

    def __init__(self, worker: str, still_wanted: StillWanted, left: deque[Message], run: Run) -> None:
        self.worker, self.still_wanted, self.left, self.run = worker, still_wanted, left, run
        self.done, self.sender = Delivered(), sender_address()
        self.aside = queries.put_aside([message.to_email for message in left])
        db.session.rollback()

    def deliver(self, stopping: Callable[[], bool]) -> None:
        """Deliver one message after the other, over a new line where one is cut off. What is left is queued again."""
        lines, until = 0, time.monotonic() + BATCH_SECONDS

        def goes_on() -> bool:
            return bool(self.left) and time.monotonic() < until and not stopping()

        try:
            while goes_on() and lines < MOST_CUT_OFFS:
                lines += 1
                with _connection() as connection:
                    usable = True
                    while usable and goes_on():
                        usable = self._deliver_next(connection)
        except Temporary as away:
            for message in self.left:
                self.done.postponed += actions.postpone(message, worker=self.worker, reason=str(away))
            return
        # What the server did not even hear of has not been tried: it must not wait longer for another's fault.
        wait = actions.WAITS[0] if lines == MOST_CUT_OFFS and goes_on() else timedelta()
        self.done.postponed += actions.give_back(self.left, worker=self.worker, wait=wait)

    def _deliver_next(self, connection: OutboxConnection | None) -> bool:
        """Deliver one message and record it. Returns whether the connection is of any more use."""
        message = self.left.popleft()
        worker, done = self.worker, self.done
        try:
            if self._is_out_of_the_way(message):
                return True
            raw = _written(message, self.sender)
            if not actions.confirm(message, worker=worker, run=self.run):
                log.warning("message %s was taken by another worker", message.id)
                return True
            if connection is not None:
                connection.deliver(raw, sender=self.sender, to=message.to_email)
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
        except Exception as error:  # one that cannot be looked at must not hold up those behind it
            log.exception("message %s cannot be looked at", message.id)
            actions.postpone(message, worker=worker, reason=_words(error))
            done.postponed += 1
            return _is_usable(connection)
        self._record_sent(message)
        done.sent += 1
        log.info("sent message %s", message.id)
        return True

    def _is_out_of_the_way(self, message: Message) -> bool:
        """Record what does not go any more, not yet, or to an address where nobody is. Returns whether that is so."""
        worker, done = self.worker, self.done
        late = message.useless_after is not None and message.useless_after <= now()
        verdict = Drop("it would come too late") if late else self._look(message)
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

    def _look(self, message: Message) -> Verdict:
        """Say whether it is still wanted, as things are now; what was read for it is forgotten before the next look."""
        try:
            return self.still_wanted(message)
        finally:
            db.session.rollback()
            db.session.expire_all()

    def _record_sent(self, message: Message) -> None:
        """Record that the server took it; while the database is away try again, or it would go a second time."""
        for seconds in RECORD_AGAIN_AFTER_SECONDS:
            try:
                self._mark_sent(message)
                break
            except DBAPIError:
                log.warning("message %s was sent, but the database is away", message.id)
                time.sleep(seconds)
        else:
            self._mark_sent(message)
        if message.to_email in self.aside:  # it answers
            actions.take_back(message.to_email)

    def _mark_sent(self, message: Message) -> None:
        """What a sign-in mail said is not kept, but in the demonstration's mailbox."""
        forget = message.kind == "sign_in" and not current_settings().demo
        actions.mark_sent(message, worker=self.worker, run=self.run, forget=forget)


def _written(message: Message, sender: str) -> bytes:
    """Return the bytes of a mail. Raises Permanent where there are none: the same row can never be written later."""
    try:
        return mime.write(message, sender=sender)
    except Exception as error:
        log.exception("message %s cannot be written", message.id)
        raise Permanent(one_line(f"It cannot be written. {_words(error)}")[:280]) from None


def _is_usable(connection: OutboxConnection | None) -> bool:
    """Tell whether the server still listens on this connection, after it refused something."""
    if connection is None:
        return True
    try:
        with connection.host.cut_in_time():
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
            with connection.host.cut_in_time():
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
