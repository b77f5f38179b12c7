"""Schedulers killed at random, a mail server with moods: no mail is lost, and none goes twice but as promised."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask

from booking.core.clock import now
from booking.core.db import db
from booking.notifications.models import Message, MessageStatus
from tests.bench.mails import message_row
from tests.processes import free_port, scheduler

MAILS, KILLS, SEED = 2_000, 12, 20270616
# Of a hundred mails so many are put off, slow, cut off before and after they are taken; one hangs for seconds.
PUT_OFF, SLOW, CUT_BEFORE, CUT_AFTER, HANGS = 4, 3, 2, 1, 0.05
SECONDS = 500


@dataclass
class MoodyServer:
    """It takes, puts off, delays, cuts the line before or after it has taken a mail, and hangs: at random."""

    chance: random.Random
    taken: list[str] = field(default_factory=list)
    # Taken, but the line was cut before our yes could be heard: a second time is promised to be possible.
    unheard: Counter[str] = field(default_factory=Counter)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address, options) -> str:  # noqa: N802
        if self.chance.uniform(0, 100) < PUT_OFF:
            return "451 4.2.0 Not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mood = self.chance.uniform(0, 100)
        message_id = str(message_from_bytes(envelope.content)["Message-ID"])
        if mood < CUT_BEFORE:
            server.transport.abort()
            return "421 gone"
        if mood < CUT_BEFORE + HANGS:
            await asyncio.sleep(4)
        elif mood < CUT_BEFORE + HANGS + SLOW:
            await asyncio.sleep(0.2)
        self.taken.append(message_id)
        if mood > 100 - CUT_AFTER:
            self.unheard[message_id] += 1
            server.transport.abort()
        return "250 OK"


@contextmanager
def moody_server() -> Iterator[tuple[MoodyServer, int]]:
    server = MoodyServer(random.Random(SEED))
    controller = Controller(server, hostname="127.0.0.1", port=free_port(), ready_timeout=20)
    controller.start()
    try:
        yield server, controller.port
    finally:
        controller.stop()


@contextmanager
def killed_at_random(
    number: int, database_url: str, chance: random.Random, **settings: str
) -> Iterator[tuple[list[int], Callable[[], None]]]:
    """Run so many schedulers; gives who was killed so far, and the way to kill one more and start another instead."""
    running = [scheduler(database_url, **settings) for _ in range(number)]
    killed: list[int] = []

    def kill_one() -> None:
        victim = running.pop(chance.randrange(len(running)))
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        killed.append(victim.pid)
        running.append(scheduler(database_url, **settings))

    try:
        yield killed, kill_one
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.mark.both_databases
def test_2000_mails_and_a_dozen_kills(app: Flask, database_url: str) -> None:
    chance = random.Random(SEED)
    with app.app_context():
        db.session.execute(
            sa.insert(Message), [message_row(n, text="Hello", html="<p>Hello</p>") for n in range(MAILS)]
        )
        db.session.commit()
        ids = set(db.session.scalars(sa.select(Message.message_id)))
    number = 3 if "postgresql" in database_url else 2
    with moody_server() as (server, port):
        mail = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(port)}
        with killed_at_random(number, database_url, chance, **mail) as (killed, kill_one):
            until = time.monotonic() + SECONDS
            steps = sorted(chance.sample(range(50, MAILS - 100), KILLS))
            while left(app):
                assert time.monotonic() < until, f"{left(app)} of {MAILS} are left"
                if len(killed) < KILLS and len(set(server.taken)) >= steps[len(killed)]:
                    kill_one()
                    end_the_leases_of(app, killed[-1])
                do_not_wait(app)
                time.sleep(0.05)
    twice = {message_id: count - 1 for message_id, count in Counter(server.taken).items() if count > 1}
    not_promised = sum(max(0, more - server.unheard[message_id]) for message_id, more in twice.items())
    assert set(server.taken) == ids
    assert len(killed) == KILLS
    assert not_promised <= KILLS
    with app.app_context():
        assert Counter(db.session.scalars(sa.select(Message.status))) == {MessageStatus.SENT: MAILS}
    print(f"{number} schedulers, {KILLS} kills: {not_promised} twice; {sum(server.unheard.values())} unheard")


def left(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).where(Message.status != MessageStatus.SENT)) or 0


def end_the_leases_of(app: Flask, pid: int) -> None:
    """A lease of four minutes would end by itself: the test does not wait for it."""
    with app.app_context():
        mine = sa.and_(Message.status == MessageStatus.CLAIMED, Message.claimed_by.contains(f":{pid}:"))
        db.session.execute(sa.update(Message).where(mine).values(claimed_until=now() - timedelta(seconds=1)))
        db.session.commit()


def do_not_wait(app: Flask) -> None:
    """Nor for what the server put off, or was away for."""
    with app.app_context():
        waits = sa.and_(Message.status == MessageStatus.QUEUED, Message.send_after > now())
        db.session.execute(sa.update(Message).where(waits).values(send_after=now()))
        db.session.commit()
