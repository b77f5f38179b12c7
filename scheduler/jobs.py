"""The jobs: name, how often, what. What is due is derived from rows, so a restart loses and repeats nothing."""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from booking.bookings.promotions import settle_due
from booking.core.heartbeat import HEARTBEAT, beat
from booking.deadlines.actions import keep_in_step
from booking.digests.actions import forget_old_wishes, send_due, still_wanted
from booking.directory.actions import clear_old_sign_ins
from booking.notifications.actions import forget_bodies
from booking.notifications.delivery import deliver_due
from booking.reminders.actions import post_due

BATCH = 100
# Two containers may have the same process id, and names that begin alike: the end makes it one of a kind.
WORKER = f"{socket.gethostname()[:20]}:{os.getpid()}:{secrets.token_hex(4)}"
# Set when the process is to stop: a job that takes long ends after the piece it is at.
stopping = Event()


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the table. `action` says how many things it did."""

    name: str
    every_seconds: int
    action: Callable[[], int]


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
    Job("reminders", 20, post_due),
    Job("digests", 20, send_due),
    Job("delivery", 2, deliver),
    Job("returns", 600, keep_in_step),
    Job("old sign-ins", 3600, clear_old_sign_ins),
    Job("old wishes for the digest", 3600, forget_old_wishes),
    Job("old bodies", 3600, forget_old_bodies),
    Job("heartbeat", 20, alive),
)
