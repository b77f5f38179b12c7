"""A real SMTP server for tests, that takes, refuses, puts off, or drops the line."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Thread

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.processes import free_port


@dataclass
class Server:
    """What the server saw, and how it behaves: `answers` maps a recipient to what is said to it."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    connections: int = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address, options) -> str:  # noqa: N802
        answer = self.answers.get(address, "250 OK")
        if answer == "drop":
            server.transport.close()
            return "421 gone"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.get(f"data:{envelope.rcpt_tos[0]}", "250 OK")
        if answer == "drop":
            server.transport.close()
            return "421 gone"
        if answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
            self.recipients += envelope.rcpt_tos
        return answer


@contextmanager
def smtp_server() -> Iterator[Server]:
    """Run a server on a free port of this machine."""
    server = Server(port=free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port, ready_timeout=20)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class FussyServer(Server):
    """A server that also refuses the greeting, the sender or the log-in, is slow, or takes a few mails a connection."""

    greeting: str = ""
    sender: str = "250 OK"
    seconds_per_mail: float = 0
    mails_per_connection: int = 1000
    knows_password: bool = True

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        await super().handle_EHLO(server, session, envelope, hostname, responses)
        session.mails = 0
        return [self.greeting] if self.greeting else responses

    async def handle_HELO(self, server, session, envelope, hostname):  # noqa: N802
        session.host_name = hostname
        return self.greeting or "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, options) -> str:  # noqa: N802
        if session.mails == self.mails_per_connection:
            server.transport.close()
            return "421 that is enough"
        session.mails += 1
        if self.sender.startswith("250"):
            envelope.mail_from = address
        return self.sender

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(self.seconds_per_mail)
        return answer

    def log_in(self, server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=self.knows_password, handled=False)


@contextmanager
def fussy_server(**behaviour) -> Iterator[FussyServer]:
    """Run such a server on a free port of this machine. What it is like may be changed while it runs."""
    server = FussyServer(port=free_port(), **behaviour)
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ready_timeout=20,
        authenticator=server.log_in,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class Drips:
    """A server that sends a byte now and then, and whether the other side would not have that."""

    port: int
    was_cut_off: bool = False


@contextmanager
def dripping_server(greeting: bytes = b"") -> Iterator[Drips]:
    """Run a server that says this at once, and then a line without an end, for ten seconds at most."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        drips = Drips(listener.getsockname()[1])

        def drip() -> None:
            line, _ = listener.accept()
            with line:
                try:
                    line.sendall(greeting)
                    for _ in range(200):
                        line.sendall(b"2")
                        time.sleep(0.05)
                except OSError:
                    drips.was_cut_off = True

        thread = Thread(target=drip)
        thread.start()
        yield drips
        thread.join()
