"""The jobs: name, how often, what. What is due is derived from rows, so a restart loses and repeats nothing."""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from booking.bookings.promotions import settle_due
from booking.core.heartbeat import HEARTBEAT, beat
from booking.deadlines import actions as deadlines
from booking.digests import actions as digests
from booking.directory.actions import clear_old_sign_ins
from booking.invitations import actions as invitations
from booking.notifications import allowance
from booking.notifications.actions import forget_bodies
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message
from booking.notifications.verdict import Verdict
from booking.reminders import actions as reminders

BATCH = 100
# Two containers may have the same process id, and names that begin alike: the end makes it one of a kind.
WORKER = f"{socket.gethostname()[:20]}:{os.getpid()}:{secrets.token_hex(4)}"
# What knows whether one of its own messages still goes: each answers None for those of others.
CHECKS = (reminders.still_wanted, deadlines.still_wanted, invitations.still_wanted, digests.still_wanted)
# Set when the process is to stop: a job that takes long ends after the piece it is at.
stopping = Event()


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the table. `action` says how many things it did."""

    name: str
    every_seconds: int
    action: Callable[[], int]


def still_wanted(message: Message) -> Verdict:
    """Return why a message should not go any more or not yet; None for that it goes. Asked right before it is sent."""
    verdicts = (check(message) for check in CHECKS)
    return next((verdict for verdict in verdicts if verdict), None)


def deliver() -> int:
    """Send what is due, batch by batch, until nothing is: one at a time, so that a kill doubles one mail at most."""
    touched = 0
    while not stopping.is_set():
        done = deliver_due(worker=WORKER, limit=BATCH, still_wanted=still_wanted, stopping=stopping.is_set).touched
        if not done:
            break
        touched += done
    return touched


def forget_old_bodies() -> int:
    """Empty what messages said that ended long ago, batch by batch: the first run may have years before it."""
    forgotten = 0
    while not stopping.is_set() and (done := forget_bodies()):
        forgotten += done
    return forgotten


def alive() -> int:
    """Write down that the scheduler runs."""
    beat(HEARTBEAT)
    return 1


# In this order for `--once`: what reminders queue is delivered in the same run.
JOBS = (
    Job("offers and limits", 20, settle_due),
    Job("reminders", 20, reminders.post_due),
    Job("digests", 20, digests.send_due),
    Job("delivery", 2, deliver),
    Job("returns", 600, deadlines.keep_in_step),
    Job("old sign-ins", 3600, clear_old_sign_ins),
    Job("old wishes for the digest", 3600, digests.forget_old_wishes),
    Job("old counts of mail", 3600, allowance.clear_old),
    Job("old bodies", 3600, forget_old_bodies),
    Job("heartbeat", 20, alive),
)
